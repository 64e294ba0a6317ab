/** What a service wants of each of its versions at this point of its rollout: instances, and shares of new sessions. */
import { isActive, shareOf, stableVersion, type Rollout } from '../model/rollout.ts';
import type { FleetShare } from '../model/fleet.ts';
import type { Service } from '../model/service.ts';
import { isStaged, stagesOf } from './stages.ts';

export interface Pool {
  readonly version: number;
  readonly instances: number;
}

export interface Pools {
  /** The first one takes over what belongs to none: instances of other versions are drained as it gets ready. */
  readonly pools: readonly [Pool, ...Pool[]];
  /** More instances than wanted, and fewer ready ones, while instances are replaced. */
  readonly surge: number;
  readonly unavailable: number;
  /** Nothing new starts before all else has gone. */
  readonly recreate: boolean;
}

/** Replacing without a rollout, as for a restart: a quarter more. */
const DEFAULT_SURGE = '25%';

/** `wanted`: instances over all versions. */
export function poolsOf(service: Service, rollout: Rollout | undefined, wanted: number): Pools {
  const active = isActive(rollout) ? rollout : undefined;
  const rolling = active?.strategy ?? service.spec.rollout;
  const surge = rolling.strategy === 'rolling' ? shareOf(rolling.surge, wanted) : shareOf(DEFAULT_SURGE, wanted);
  const unavailable = rolling.strategy === 'rolling' ? shareOf(rolling.unavailable, wanted) : 0;
  const settings = { surge: unavailable === 0 ? Math.max(1, surge) : surge, unavailable, recreate: false };
  if (active === undefined)
    return { ...settings, pools: [{ version: stableVersion(service, rollout), instances: wanted }] };
  if (!isStaged(active.strategy))
    return {
      ...settings,
      recreate: active.strategy.strategy === 'recreate',
      pools: [{ version: active.to, instances: wanted }],
    };
  const stages = stagesOf(active.strategy, wanted);
  // Past the last stage it is to have all.
  const stage = stages[active.stage];
  return {
    ...settings,
    pools: [
      { version: active.from, instances: wanted },
      { version: active.to, instances: Math.min(wanted, stage?.instances ?? wanted) },
    ],
  };
}

/** The same once the rollout is through. */
export function poolsAtEnd(service: Service, rollout: Rollout | undefined, wanted: number): Pools {
  return poolsOf(service, isActive(rollout) ? { ...rollout, phase: 'completed' } : rollout, wanted);
}

/** Undefined: any instance will do, whatever its version. */
export function sharesOf(rollout: Rollout | undefined): readonly FleetShare[] | undefined {
  if (!isActive(rollout) || !isStaged(rollout.strategy)) return undefined;
  return [
    { version: rollout.from, weight: 100 - rollout.weight },
    { version: rollout.to, weight: rollout.weight },
  ];
}
