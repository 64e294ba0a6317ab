/** From the plan's actions to the records that the registry is asked to write. */
import type { InstanceReason } from '../model/reasons.ts';
import { placeOf } from '../model/address.ts';
import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import { durationMs } from '../model/units.ts';
import type { InstanceWrite } from '../registry/registry.ts';
import { unresolved } from './addresses.ts';
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
        const { entry, address, hostname } = action.wanted;
        const { tags, zone, weight } = entry;
        const base = newInstance(
          action.service,
          { version: action.service.version, runtime: 'external' },
          action.id,
          'unknown',
          context,
        );
        const instance: Instance = {
          ...base,
          ...(address === undefined
            ? { reason: 'NameNotResolved' satisfies InstanceReason, message: unresolved(action.wanted) }
            : { address }),
          ...(hostname === undefined ? {} : { hostname }),
          tags: tags ?? {},
          weight: weight ?? 1,
          ...(zone === undefined ? {} : { zone }),
        };
        return { op: 'create', instance, event: `instance ${action.id} at ${placeOf(instance)} was added` };
      }
      case 'drain': {
        const deadline = new Date(context.now + durationMs(action.service?.spec.drain.deadline ?? '1h')).toISOString();
        const stopGrace = action.service?.spec.drain.stopGrace ?? '30s';
        return {
          op: 'update',
          id: action.instance.id,
          patch: {
            drain: {
              reason: action.reason,
              since: new Date(context.now).toISOString(),
              deadline,
              stopGrace,
              // Nobody asked for an end of its sessions: they may go on as long as they like.
              ...(action.reason === 'NameChanged' ? { policy: 'wait' } : {}),
            },
          },
        };
      }
      case 'follow':
        return { op: 'update', id: action.instance.id, patch: action.patch };
      case 'resume': {
        const { id, state } = action.instance;
        const since = new Date(context.now).toISOString();
        const message = 'its address is back';
        return {
          op: 'update',
          id,
          patch: {
            drain: undefined,
            ...(state === 'draining' ? { state: 'ready', reason: 'Resumed', message, since } : {}),
          },
          event: `instance ${id} at ${placeOf(action.instance)} is wanted again: its address is back`,
        };
      }
      case 'remove':
        return {
          op: 'delete',
          id: action.instance.id,
          event: `instance ${action.instance.id} at ${placeOf(action.instance)} was removed before it was ever ready`,
        };
    }
  });
}
