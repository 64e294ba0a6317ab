import { z } from 'zod';
import { Autoscale } from '../../model/autoscale.ts';
import { SwitchboardError } from '../../model/errors.ts';
import { missing } from '../../model/missing.ts';
import { Duration, PositiveDuration, durationMs } from '../../model/units.ts';
import { scheduleIssues } from '../../scaling/floors.ts';
import { Replay } from '../../scaling/replay.ts';
import { AutoscaleView } from '../answers/autoscale.ts';
import type { Call, Endpoint } from '../endpoint.ts';

const ReplayBody = z.strictObject({
  policy: Autoscale,
  /** How far back. */
  over: PositiveDuration.default('1h'),
  /** From when an instance is wanted to when it is ready. */
  startTime: Duration.default('5s'),
});

function viewOf(call: Call): AutoscaleView {
  const name = call.param('name');
  const view = call.api.registry.view();
  const service = view.services.get(name)?.value;
  if (service === undefined) throw missing('service', name, view.services.keys());
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
      schema: AutoscaleView,
      about: 'Decisions are oldest first, one each two seconds; those that changed something are events too.',
    },
    handle: async (call) => viewOf(call),
  },
  {
    method: 'post',
    path: '/v1/services/{name}/autoscale/replay',
    summary: 'What a policy would have done with the recorded history of the service',
    body: { schema: ReplayBody, example: { policy: { sessions: 100, max: 10 }, over: '6h' } },
    answer: {
      status: 200,
      schema: Replay,
      about:
        'Steps for a picture (sessions and instances as they were and would have been), moves with reasons, and sums.',
    },
    async handle(call) {
      const name = call.param('name');
      const { services } = call.api.registry.view();
      if (!services.has(name)) throw missing('service', name, services.keys());
      const { policy, over, startTime } = call.body as z.infer<typeof ReplayBody>;
      const issues = scheduleIssues(policy).map(({ path, message }) => ({ path: `policy.${path}`, message }));
      if (issues.length > 0) throw new SwitchboardError('invalid', 'the policy is not valid', { issues });
      const to = call.api.now();
      return call.api.replayScale(name, policy, { from: to - durationMs(over), to, startMs: durationMs(startTime) });
    },
  },
];
