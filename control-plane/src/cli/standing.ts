/** Whether what is written of a service runs: all instances of its version serve, every gateway knows them, and no rollout goes on. Pure. */
import type { GatewayView, InstanceView, RolloutView, ServiceView } from '../api/types.ts';
import { isActive } from '../model/rollout.ts';
import { takesSessions } from '../model/takes-sessions.ts';

export interface Standing {
  readonly is: 'ready' | 'waiting' | 'failed';
  /** What it waits for, or why it has failed. */
  readonly text: string;
  /** What to look at, where it has failed. */
  readonly remedy?: string;
}

export interface Seen {
  readonly service: ServiceView;
  readonly instances: readonly InstanceView[];
  readonly gateways: readonly GatewayView[];
  /** The newest of the service. */
  readonly rollout: RolloutView | undefined;
}

function whyNot({ state, health, message }: InstanceView): string {
  // Of one that was never ready, the last check knows best.
  if (state === 'unknown' && health !== null) return health.reason;
  if (state !== 'ready' || health === null) return message;
  return takesSessions(health) ? 'the gateway has not checked it yet' : health.reason;
}

/** `abortFails`: a new version was asked for, so that an aborted one is a failure; else the old one serves on, and counts. */
export function standingOf({ service, instances, gateways, rollout }: Seen, abortFails: boolean): Standing {
  const { name, spec, status, version } = service;
  if (!spec.enabled) return { is: 'ready', text: status.message };
  const aborted = rollout?.phase === 'aborted' && rollout.to === version;
  if (aborted && abortFails)
    return {
      is: 'failed',
      text: `the rollout of version ${version} was aborted: ${rollout.message}`,
      remedy: `See \`switchboard rollout status ${name}\`.`,
    };
  const active = isActive(rollout);
  const present = instances.filter((one) => one.drain === undefined);
  // Addresses may have been written so lately that there are no instances of them yet.
  const wanted = Math.max(status.wanted, spec.runtime === 'external' ? (spec.addresses?.length ?? 0) : 0);
  const current = aborted ? rollout.from : version;
  const own = spec.runtime === 'external' ? present : present.filter((one) => one.version === current);
  const lasting = own.filter((one) => one.replace === undefined);
  // One that runs elsewhere may come at any moment.
  const failed = lasting.find((one) => one.state === 'failed' && one.runtime !== 'external');
  if (failed !== undefined && !active)
    return {
      is: 'failed',
      text: `instance ${failed.id} ${failed.message}`,
      // What was never started has no log.
      ...(failed.reason === 'Missing' ? {} : { remedy: `See \`switchboard logs ${failed.id}\`.` }),
    };
  // Until the gateway's own check has passed it sends nobody there.
  const serving = lasting.filter(
    (one) => one.state === 'ready' && takesSessions(one.health) && one.health?.gateway !== 'unknown',
  );
  const count = `${serving.length} of ${wanted} instances are ready`;
  // With all sessions at the new version only the end of the old one is waited for.
  if (active && rollout.weight < 100) return { is: 'waiting', text: `${count}; ${rollout.phase}: ${rollout.message}` };
  const other = lasting.find((one) => !serving.includes(one) && one.state !== 'pending');
  if (serving.length < wanted)
    return {
      is: 'waiting',
      text: other === undefined ? count : `${count}; ${other.id} ${other.state}: ${whyNot(other)}`,
    };
  const leaving = own.length - lasting.length;
  if (leaving > 0) return { is: 'waiting', text: `${count}; ${leaving} old ones are still to be replaced` };
  const newest = Math.max(service.revision, ...serving.map(({ revision }) => revision));
  const behind = gateways.filter(({ ackedRevision }) => ackedRevision < newest).map(({ node }) => node);
  if (behind.length > 0) return { is: 'waiting', text: `${count}; not known yet to ${behind.join(', ')}` };
  return { is: 'ready', text: count };
}
