/** A rollout as people want to see it: its stages, and what each version has of instances and sessions now. Pure. */
import { closesAtDeadline } from '../model/drain.ts';
import type { Instance } from '../model/instance.ts';
import type { Rollout } from '../model/rollout.ts';
import type { Held, RegistryView } from '../registry/registry.ts';
import { wantedOf } from '../registry/wanted.ts';
import { sharesOf } from '../rollout/pools.ts';
import { isStaged, stagesOf } from '../rollout/stages.ts';
import type { Estimate } from '../telemetry/estimate.ts';
import type { Emptying } from './emptying.ts';
import type { RolloutVersion, RolloutView } from './types.ts';
import { sessionsOf, type Observed } from './views.ts';

function versionView(
  number: number,
  rollout: Rollout,
  instances: readonly Instance[],
  { observed, emptying, now }: Seen,
): RolloutVersion {
  const own = instances.filter((instance) => instance.version === number);
  const share = sharesOf(rollout)?.find(({ version }) => version === number)?.weight;
  const receiving = share !== 0 && own.some((instance) => instance.drain === undefined);
  const estimate = receiving
    ? { ms: null, reason: 'it gets new sessions' }
    : noLaterThan(
        lastDeadline(own),
        emptying(
          rollout.service,
          own.map(({ id }) => id),
        ),
        now,
      );
  return {
    number,
    // Without shares every ready instance takes its part.
    weight: share ?? null,
    instances: own.length,
    ready: own.filter((instance) => instance.state === 'ready' && instance.drain === undefined).length,
    draining: own.filter((instance) => instance.drain !== undefined).length,
    sessions: own.reduce((sum, instance) => sum + sessionsOf(instance, observed.counts), 0),
    receiving,
    estimateMs: estimate.ms,
    estimateReason: estimate.reason,
  };
}

/** When what is open on the last of them is ended; Infinity: on one of them it may go on for ever. */
function lastDeadline(instances: readonly Instance[]): number {
  return Math.max(
    ...instances.map(({ drain }) =>
      drain !== undefined && closesAtDeadline(drain) ? Date.parse(drain.deadline) : Infinity,
    ),
  );
}

function noLaterThan(deadline: number, estimate: Estimate, now: number): Estimate {
  const left = Math.max(0, deadline - now);
  if (!Number.isFinite(left) || (estimate.ms !== null && estimate.ms <= left)) return estimate;
  return { ms: left, reason: 'by the deadline of its drain, which ends what is open then' };
}

/** What is seen of the instances besides the registry. */
export interface Seen {
  readonly observed: Observed;
  readonly emptying: Emptying;
  readonly now: number;
}

export function rolloutView({ value, revision }: Held<Rollout>, view: RegistryView, seen: Seen): RolloutView {
  const service = view.services.get(value.service)?.value;
  const instances = [...view.instances.values()]
    .map((held) => held.value)
    .filter((instance) => instance.service === value.service);
  const stages =
    service !== undefined && isStaged(value.strategy) ? stagesOf(value.strategy, wantedOf(view, service)) : [];
  return {
    ...value,
    revision,
    stages,
    versions: [value.from, value.to].map((number) => versionView(number, value, instances, seen)),
  };
}
