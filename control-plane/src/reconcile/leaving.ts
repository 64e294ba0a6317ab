/**
 * Which instances leave by what is wanted now: at once, as their replacements get ready, when a rollout is through, at their greatest age, when an
 * autoscaler or a failing check says so; with the moment at which what is still open on them is ended, at the soonest. Pure.
 */
import { closesAtDeadline, isLive } from '../model/drain.ts';
import type { Instance } from '../model/instance.ts';
import type { LeavingReason } from '../model/reasons.ts';
import { isActive } from '../model/rollout.ts';
import type { Service } from '../model/service.ts';
import { durationMs } from '../model/units.ts';
import type { WaitsFor } from '../model/write.ts';
import type { RegistryView } from '../registry/registry.ts';
import { wantedOf } from '../registry/wanted.ts';
import { poolsAtEnd, poolsOf } from '../rollout/pools.ts';
import { takesOverAt } from '../rollout/stages.ts';
import { leaveByAge } from './age.ts';
import { surplusOf, type SessionsOf } from './plan.ts';

export interface Leaving {
  readonly instance: Instance;
  readonly reason: string;
  /** Milliseconds since the epoch; Infinity: when `waitsFor` has come. */
  readonly deadline: number;
  readonly waitsFor?: WaitsFor;
}

export interface LeavingFacts {
  readonly sessionsOf: SessionsOf;
  /** Milliseconds since it became unhealthy; undefined: it is not. */
  readonly unhealthyFor: (instance: string) => number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Of these services, by the instance's id: the way by which each leaves first. */
export function leavingOf(
  view: RegistryView,
  services: ReadonlySet<string>,
  facts: LeavingFacts,
): ReadonlyMap<string, Leaving> {
  const found = new Map<string, Leaving>();
  const byService = Map.groupBy(
    [...view.instances.values()].map((held) => held.value).filter((instance) => services.has(instance.service)),
    (instance) => instance.service,
  );
  for (const [name, instances] of byService) {
    const service = view.services.get(name)?.value;
    for (const one of [
      ...drained(instances),
      ...(service === undefined ? [] : wanted(view, service, instances, facts)),
    ]) {
      const known = found.get(one.instance.id);
      if (known === undefined || one.deadline < known.deadline) found.set(one.instance.id, one);
    }
  }
  return found;
}

/** What runs elsewhere is never ended from here: its sessions go on when it is forgotten. */
const isOurs = ({ runtime }: Instance): boolean => runtime !== 'external';

function drained(instances: readonly Instance[]): Leaving[] {
  return instances.flatMap((instance) => {
    const { drain } = instance;
    // Without an end at the deadline its sessions may go on for ever.
    if (drain === undefined || !closesAtDeadline(drain) || !(isOurs(instance) || drain.then === 'keep')) return [];
    return [{ instance, reason: drain.reason, deadline: Date.parse(drain.deadline) }];
  });
}

function wanted(view: RegistryView, service: Service, all: readonly Instance[], facts: LeavingFacts): Leaving[] {
  const { now, sessionsOf } = facts;
  const { spec } = service;
  const drainMs = durationMs(spec.drain.deadline);
  const live = all.filter((instance) => isLive(instance) && isOurs(instance));
  if (spec.runtime === 'external') {
    const reason: LeavingReason = 'AddressRemoved';
    return live.map((instance) => ({ instance, reason, deadline: now + drainMs }));
  }
  const rollout = view.rollouts.get(service.name)?.value;
  const number = wantedOf(view, service);
  const end = isActive(rollout) ? takesOverAt(rollout, number, now) : now;
  const byAutoscaler = spec.autoscale === undefined || !spec.enabled ? number : Math.max(1, spec.autoscale.min);
  return [
    ...surplusOf(service, live, poolsOf(service, rollout, number), sessionsOf).map((one) => ({
      ...one,
      deadline: now + drainMs,
    })),
    ...surplusOf(service, live, poolsAtEnd(service, rollout, number), sessionsOf).map((one) =>
      end === Infinity
        ? { ...one, deadline: end, waitsFor: 'promotion' as const }
        : { ...one, deadline: end + drainMs },
    ),
    ...leaveByAge(service, live, now),
    ...surplusOf(service, live, poolsAtEnd(service, rollout, Math.min(number, byAutoscaler)), sessionsOf).map(
      (one) => ({
        ...one,
        deadline: Infinity,
        waitsFor: 'autoscaler' as const,
      }),
    ),
    ...endedAsUnhealthy(service, live, facts),
  ];
}

function endedAsUnhealthy(service: Service, live: readonly Instance[], { now, unhealthyFor }: LeavingFacts): Leaving[] {
  const { health } = service.spec;
  if (health?.onUnhealthy !== 'restart') return [];
  return live.flatMap((instance) => {
    const forMs = unhealthyFor(instance.id);
    if (forMs === undefined || instance.state !== 'ready') return [];
    const deadline = now + Math.max(0, durationMs(health.restartAfter) - forMs);
    return [{ instance, reason: 'Unhealthy', deadline }];
  });
}
