/** What a write will do to open sessions, told before it is done: the instances that it sends away, with their sessions. */
import { closesAtDeadline } from '../model/drain.ts';
import type { Instance } from '../model/instance.ts';
import type { Impact } from '../model/write.ts';
import { durationMs } from '../model/units.ts';
import type { RegistryView } from '../registry/registry.ts';
import { leaving as leavingLater, type SessionsOf } from './plan.ts';

interface Leaving {
  readonly instance: Instance;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
}

function* changed<Value>(a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>): Generator<[string, Value]> {
  if (a === b) return;
  for (const [key, value] of a) if (b.get(key) !== value) yield [key, value];
  for (const [key, value] of b) if (a.get(key) !== value) yield [key, value];
}

/** Services that a write touches: of another, the same is leaving before and after. */
function touched(before: RegistryView, after: RegistryView): ReadonlySet<string> {
  const names = new Set<string>();
  for (const kind of ['services', 'versions', 'rollouts', 'scales'] as const)
    for (const [name] of changed<unknown>(before[kind], after[kind])) names.add(name);
  for (const [, { value }] of changed(before.instances, after.instances)) names.add(value.service);
  return names;
}

/** Every instance of these services that is leaving, or will once its replacement is ready. */
function leaving(
  view: RegistryView,
  services: ReadonlySet<string>,
  sessionsOf: SessionsOf,
  now: number,
): Map<string, Leaving> {
  const found = new Map<string, Leaving>();
  const byService = Map.groupBy(
    [...view.instances.values()].map((held) => held.value).filter((instance) => services.has(instance.service)),
    (instance) => instance.service,
  );
  for (const [name, instances] of byService) {
    const service = view.services.get(name)?.value;
    const later = now + durationMs(service?.spec.drain.deadline ?? '1h');
    for (const instance of instances) {
      if (instance.drain !== undefined) {
        const { drain } = instance;
        // Without an end at the deadline its sessions may go on for ever.
        if (!closesAtDeadline(drain)) continue;
        found.set(instance.id, {
          instance,
          reason: drain.reason,
          deadline: Date.parse(drain.deadline),
        });
      }
    }
    if (service === undefined || service.spec.runtime === 'external') continue;
    for (const { instance, reason } of leavingLater(view, service, instances, sessionsOf))
      found.set(instance.id, { instance, reason, deadline: later });
  }
  return found;
}

export function impactOf(before: RegistryView, after: RegistryView, sessionsOf: SessionsOf, now: number): Impact {
  const services = touched(before, after);
  if (services.size === 0) return { endsNow: 0, drains: 0, instances: [] };
  const earlier = leaving(before, services, sessionsOf, now);
  const instances: { id: string; service: string; sessions: number; reason: string; deadline?: string }[] = [];
  let endsNow = 0;
  let drains = 0;
  for (const [id, { instance, reason, deadline }] of leaving(after, services, sessionsOf, now)) {
    const was = earlier.get(id);
    if (was !== undefined && was.deadline <= deadline) continue;
    const sessions = sessionsOf(instance);
    if (deadline <= now) endsNow += sessions;
    else drains += sessions;
    instances.push({ id, service: instance.service, sessions, reason, deadline: new Date(deadline).toISOString() });
  }
  return { endsNow, drains, instances: instances.sort((a, b) => a.id.localeCompare(b.id)) };
}
