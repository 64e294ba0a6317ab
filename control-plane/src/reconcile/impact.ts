/**
 * What a write will do to open sessions, told before it is done: the instances that it sends away, with their sessions. What it sets going counts,
 * whoever carries it on.
 */
import { isLive } from '../model/drain.ts';
import type { Service } from '../model/service.ts';
import type { Impact } from '../model/write.ts';
import { canonical } from '../registry/diff.ts';
import type { Held, RegistryView } from '../registry/registry.ts';
import { leavingOf, type Leaving, type LeavingFacts } from './leaving.ts';

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

/** What its instances are asked, and how patiently. */
function asked({ spec }: Service): string {
  const patience = [spec.probe, ...(spec.health?.checks ?? [])].map(({ type, options, timeout, failures }) => [
    type,
    options,
    timeout,
    failures,
  ]);
  return canonical(patience);
}

/** Where a failing check ends sessions, a new one may: nobody knows how it will turn out. */
function newlyAsked(before: Held<Service> | undefined, after: Held<Service>, view: RegistryView): Leaving[] {
  const service = after.value;
  const restarts = service.spec.health?.onUnhealthy === 'restart' && service.spec.runtime !== 'external';
  if (!restarts || before === undefined || asked(before.value) === asked(service)) return [];
  return [...view.instances.values()]
    .map(({ value }) => value)
    .filter((one) => one.service === service.name && one.state === 'ready' && isLive(one) && one.runtime !== 'external')
    .map((instance) => ({ instance, reason: 'Unhealthy', deadline: Infinity, waitsFor: 'check' }));
}

export function impactOf(before: RegistryView, after: RegistryView, facts: LeavingFacts): Impact {
  const services = touched(before, after);
  if (services.size === 0) return { endsNow: 0, drains: 0, instances: [] };
  const earlier = leavingOf(before, services, facts);
  const later = leavingOf(after, services, facts);
  const sooner = [...later.values()].filter(
    ({ instance, deadline }) =>
      deadline < (earlier.get(instance.id)?.deadline ?? Infinity) || !earlier.has(instance.id),
  );
  const perhaps = [...services]
    .flatMap((name) => {
      const held = after.services.get(name);
      return held === undefined ? [] : newlyAsked(before.services.get(name), held, after);
    })
    .filter(({ instance }) => !later.has(instance.id));
  const found = [...sooner, ...perhaps].map((one) => ({ ...one, sessions: facts.sessionsOf(one.instance) }));
  const count = (some: readonly { readonly sessions: number }[]): number =>
    some.reduce((total, { sessions }) => total + sessions, 0);
  return {
    endsNow: count(found.filter(({ deadline }) => deadline <= facts.now)),
    drains: count(found.filter(({ deadline }) => deadline > facts.now)),
    instances: found
      .map(({ instance: { id, service }, sessions, reason, deadline, waitsFor }) => ({
        id,
        service,
        sessions,
        reason,
        ...(waitsFor === undefined ? { deadline: new Date(deadline).toISOString() } : { waitsFor }),
      }))
      .sort((a, b) => a.id.localeCompare(b.id)),
  };
}
