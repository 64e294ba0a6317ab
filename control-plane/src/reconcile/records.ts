/** From the plan's actions to the records that the registry is asked to write. */
import type { InstanceReason } from '../model/reasons.ts';
import { hostPort } from '../model/address.ts';
import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import { durationMs } from '../model/units.ts';
import type { InstanceWrite } from '../registry/registry.ts';
import type { PlanAction } from './plan.ts';

export interface RecordContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly randomId: (length: number) => string;
}

function newInstance(
  service: Service,
  { version, runtime }: Pick<Instance, 'version' | 'runtime'>,
  id: string,
  state: Instance['state'],
  context: RecordContext,
): Instance {
  const at = new Date(context.now).toISOString();
  return {
    kind: 'Instance',
    id,
    service: service.name,
    version,
    runtime,
    tags: {},
    weight: 1,
    state,
    reason: 'Created' satisfies InstanceReason,
    message: state === 'pending' ? 'waits to be started' : 'not probed yet',
    since: at,
    restarts: 0,
    failures: [],
    conditions: [],
    createdAt: at,
  };
}

export function applyPlan(actions: readonly PlanAction[], context: RecordContext): InstanceWrite[] {
  return actions.map((action): InstanceWrite => {
    switch (action.do) {
      case 'create': {
        const id = `${action.service.name}-${context.randomId(5)}`;
        return {
          op: 'create',
          instance: newInstance(action.service, action, id, 'pending', context),
          event: `instance ${id} of version ${action.version} was created`,
        };
      }
      case 'create-fixed': {
        const { host, port, tags, zone, weight } = action.address;
        const base = newInstance(
          action.service,
          { version: action.service.version, runtime: 'external' },
          action.id,
          'unknown',
          context,
        );
        const instance: Instance = {
          ...base,
          address: { host, port },
          tags: tags ?? {},
          weight: weight ?? 1,
          ...(zone === undefined ? {} : { zone }),
        };
        return { op: 'create', instance, event: `instance ${action.id} at ${hostPort(host, port)} was added` };
      }
      case 'drain': {
        const deadline = new Date(context.now + durationMs(action.service?.spec.drain.deadline ?? '1h')).toISOString();
        const stopGrace = action.service?.spec.drain.stopGrace ?? '30s';
        return {
          op: 'update',
          id: action.instance.id,
          patch: { drain: { reason: action.reason, since: new Date(context.now).toISOString(), deadline, stopGrace } },
        };
      }
      case 'follow-version':
        return { op: 'update', id: action.instance.id, patch: { version: action.version } };
    }
  });
}
