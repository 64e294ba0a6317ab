/** Replacing instances at a maximum age (`spec.maxAge`): new one first, drained, one at a time, each at its own age. Pure. */
import type { LeavingReason } from '../model/reasons.ts';
import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import { durationMs } from '../model/units.ts';
import type { InstanceWrite, RegistryView } from '../registry/registry.ts';

/** The last fifth of the age is where instances that started together are spread over. */
const SPREAD = 0.2;
/** Instances that leave for their age and still have sessions, as a share of those wanted. */
const MOST_LEAVING = 0.25;

/** In [0, 1), the same for an id at every look (FNV-1a, with the last letters mixed into all bits). */
function fraction(id: string): number {
  let hash = 0x811c9dc5;
  for (const letter of id) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

export function overAge(view: RegistryView, now: number): InstanceWrite[] {
  const aging = [...view.services.values()].map((held) => held.value).filter((one) => one.spec.maxAge !== undefined);
  if (aging.length === 0) return [];
  const byService = Map.groupBy(
    [...view.instances.values()].map((held) => held.value),
    (instance) => instance.service,
  );
  return aging.flatMap((service) => {
    const oldest = nextOver(service, byService.get(service.name) ?? [], now);
    if (oldest === undefined) return [];
    const age = service.spec.maxAge ?? '';
    return [
      {
        op: 'update' as const,
        id: oldest.id,
        patch: { replace: { reason: 'MaxAge' satisfies LeavingReason, at: new Date(now).toISOString() } },
        event: `instance ${oldest.id} nears its greatest age of ${age}: it is drained once its replacement is ready`,
      },
    ];
  });
}

function nextOver(service: Service, instances: readonly Instance[], now: number): Instance | undefined {
  const { maxAge, runtime, enabled, replicas } = service.spec;
  if (maxAge === undefined || runtime === 'external' || !enabled) return undefined;
  const live = instances.filter((one) => one.drain === undefined);
  // Only a service that is whole: whatever else is going on comes first.
  const whole = live.every(
    (one) => one.state === 'ready' && one.replace === undefined && one.version === service.version,
  );
  const leaving = instances.filter((one) => one.drain?.reason === 'MaxAge').length;
  if (!whole || leaving >= mostLeaving(replicas)) return undefined;
  return live.filter((one) => now >= dueAt(one, maxAge)).sort((a, b) => startOf(a) - startOf(b))[0];
}

/** When each of these leaves for its age, and what is still open on it is ended, at the soonest: in milliseconds since the epoch. */
export function leaveByAge(
  { spec: { maxAge, enabled, replicas, drain } }: Service,
  live: readonly Instance[],
  now: number,
): { instance: Instance; reason: LeavingReason; deadline: number }[] {
  if (maxAge === undefined || !enabled) return [];
  const deadlines: number[] = [];
  return live
    .toSorted((a, b) => startOf(a) - startOf(b))
    .map((instance, index) => {
      // So many leave at a time: the next one when one of them has gone.
      const free = deadlines[index - mostLeaving(replicas)] ?? now;
      const deadline = Math.max(now, dueAt(instance, maxAge), free) + durationMs(drain.deadline);
      deadlines.push(deadline);
      return { instance, reason: 'MaxAge', deadline };
    });
}

const mostLeaving = (replicas: number): number => Math.max(1, Math.floor(replicas * MOST_LEAVING));

function dueAt(instance: Instance, maxAge: string): number {
  return startOf(instance) + durationMs(maxAge) * (1 - SPREAD * fraction(instance.id));
}

function startOf(instance: Instance): number {
  return Date.parse(instance.startedAt ?? instance.createdAt);
}
