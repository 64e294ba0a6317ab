import { SwitchboardError } from '../../model/errors.ts';
import type { Call, Endpoint } from '../endpoint.ts';
import type { AutoscaleView } from '../types.ts';

function viewOf(call: Call): AutoscaleView {
  const name = call.param('name');
  const view = call.api.registry.view();
  const service = view.services.get(name)?.value;
  if (service === undefined) throw new SwitchboardError('not_found', `there is no service ${name}`);
  const policy = service.spec.autoscale;
  if (policy === undefined)
    throw new SwitchboardError('not_found', `service ${name} is not autoscaled`, {
      remedy: 'Set spec.autoscale, for example `{sessions: 100, max: 10}`.',
    });
  return {
    service: name,
    policy,
    scale: view.scales.get(name)?.value ?? null,
    decisions: call.api.scaleDecisions(name) ?? [],
  };
}

export const autoscale: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/services/{name}/autoscale',
    summary: 'What its autoscaler wants and why: the policy, the present number, the last decisions with their inputs',
    answer: {
      status: 200,
      about: 'Decisions are oldest first, one each two seconds; those that changed something are events too.',
    },
    handle: async (call) => viewOf(call),
  },
];
