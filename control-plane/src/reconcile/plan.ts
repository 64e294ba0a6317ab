/**
 * The plan: from what is wanted and what is there to what to do next. Pure, and without memory: it can be computed anew at
 * any moment, so a restart of the control plane loses nothing. New instances come before old ones go; an instance with
 * sessions is never ended, only drained.
 */
import { isLive } from '../model/drain.ts';
import type { Instance } from '../model/instance.ts';
import type { LeavingReason } from '../model/reasons.ts';
import type { Service } from '../model/service.ts';
import type { InstancePatch, RegistryView } from '../registry/registry.ts';
import { wantedOf } from '../registry/wanted.ts';
import {
  NO_NAMES,
  followed,
  isHandedOver,
  isNamedBy,
  wantedAddresses,
  type NameFacts,
  type WantedAddress,
} from './addresses.ts';
import { poolsOf, type Pool, type Pools } from '../rollout/pools.ts';

export type PlanAction =
  | { readonly do: 'create'; readonly service: Service; readonly version: number; readonly runtime: string }
  | {
      readonly do: 'create-fixed';
      readonly service: Service;
      readonly id: string;
      readonly wanted: WantedAddress;
    }
  | {
      readonly do: 'drain';
      readonly service: Service | undefined;
      readonly instance: Instance;
      readonly reason: LeavingReason;
    }
  | { readonly do: 'follow'; readonly instance: Instance; readonly patch: InstancePatch }
  /** Cancels its drain. */
  | { readonly do: 'resume'; readonly instance: Instance }
  /** Forgets it: nobody is on it. */
  | { readonly do: 'remove'; readonly instance: Instance };

/** Open sessions of an instance as far as known. */
export type SessionsOf = (instance: Instance) => number;

export function plan(view: RegistryView, sessionsOf: SessionsOf, names: NameFacts = NO_NAMES): PlanAction[] {
  const byService = Map.groupBy(
    [...view.instances.values()].map((held) => held.value),
    (instance) => instance.service,
  );
  const actions: PlanAction[] = [];
  for (const { value: service } of view.services.values()) {
    const instances = byService.get(service.name) ?? [];
    actions.push(
      ...(service.spec.runtime === 'external'
        ? planExternal(service, instances, names)
        : planManaged(view, service, instances, sessionsOf, names)),
    );
  }
  for (const [name, instances] of byService) {
    if (view.services.has(name)) continue;
    // Deleting a service drains its instances; this catches one that was created in the same moment.
    for (const instance of instances)
      if (isLive(instance)) actions.push({ do: 'drain', service: undefined, instance, reason: 'ServiceDeleted' });
  }
  return actions;
}

/** The instances of one pool: those that run its version for good, and those that are to go as it gets ready. */
interface Members {
  readonly pool: Pool;
  readonly current: readonly Instance[];
  readonly outdated: readonly Instance[];
}

function membersOf({ pools }: Pools, live: readonly Instance[]): Members[] {
  const versions = new Set(pools.map((pool) => pool.version));
  return pools.map((pool, index) => {
    const own = live.filter((instance) => instance.version === pool.version);
    // What belongs to no pool goes as the first one gets ready.
    const strays = index === 0 ? live.filter((instance) => !versions.has(instance.version)) : [];
    return {
      pool,
      current: own.filter((instance) => instance.replace === undefined),
      outdated: [...own.filter((instance) => instance.replace !== undefined), ...strays],
    };
  });
}

function planManaged(
  view: RegistryView,
  service: Service,
  instances: readonly Instance[],
  sessionsOf: SessionsOf,
  { isHealthy }: NameFacts,
): PlanAction[] {
  const rollout = view.rollouts.get(service.name)?.value;
  const pools = poolsOf(service, rollout, wantedOf(view, service));
  const live = instances.filter(isLive);
  const old = instances.filter((instance) => instance.version !== pools.pools[0].version);
  if (pools.recreate && old.length > 0) return recreate(service, live, old);
  return membersOf(pools, live).flatMap((members) => {
    const { version } = members.pool;
    const runtime = view.versions.get(service.name)?.find((one) => one.number === version)?.runtime;
    const create = { do: 'create', service, version, runtime: runtime ?? service.spec.runtime } as const;
    return planPool(service, pools, members, create, sessionsOf, isHealthy);
  });
}

/** All that is old ends before anything new starts. */
function recreate(service: Service, live: readonly Instance[], old: readonly Instance[]): PlanAction[] {
  return live
    .filter((instance) => old.includes(instance))
    .map((instance) => ({ do: 'drain', service, instance, reason: reasonOf(service, instance) }));
}

function planPool(
  service: Service,
  pools: Pools,
  members: Members,
  create: PlanAction,
  sessionsOf: SessionsOf,
  isHealthy: NameFacts['isHealthy'],
): PlanAction[] {
  const { pool, current, outdated } = members;
  const wanted = pool.instances;
  const actions: PlanAction[] = [];

  // While old instances serve, only so many more than wanted run at a time.
  const missing = Math.max(0, wanted - current.length);
  const servingOld = outdated.filter((instance) => instance.state === 'ready');
  const room =
    servingOld.length === 0 ? missing : Math.max(0, wanted + pools.surge - current.length - servingOld.length);
  for (let count = 0; count < Math.min(missing, room); count += 1) actions.push(create);

  // An old instance that serves goes only when enough others do, as clients see it; one that does not serve goes at once.
  const readyCurrent = current.filter((instance) => instance.state === 'ready' && isHealthy(instance)).length;
  let spare = readyCurrent + servingOld.length - (wanted - pools.unavailable);
  for (const instance of fewestSessionsFirst(servingOld, sessionsOf)) {
    if (spare <= 0) break;
    spare -= 1;
    actions.push({ do: 'drain', service, instance, reason: reasonOf(service, instance) });
  }
  for (const instance of outdated) {
    if (instance.state !== 'ready')
      actions.push({ do: 'drain', service, instance, reason: reasonOf(service, instance) });
  }

  for (const instance of surplus(current, wanted, sessionsOf)) {
    actions.push({ do: 'drain', service, instance, reason: service.spec.enabled ? 'ScaledDown' : 'Stopped' });
  }
  return actions;
}

/** Beyond what is wanted: those that do not serve first, then those with the fewest sessions, then the newest. */
function surplus(current: readonly Instance[], wanted: number, sessionsOf: SessionsOf): Instance[] {
  const excess = current.length - wanted;
  if (excess <= 0) return [];
  const idle = current.filter((instance) => instance.state !== 'ready');
  const serving = current.filter((instance) => instance.state === 'ready');
  return [...idle, ...fewestSessionsFirst(serving, sessionsOf)].slice(0, excess);
}

/** Of these live instances those that are to go, now or as others get ready, each with the reason. */
export function surplusOf(
  service: Service,
  live: readonly Instance[],
  pools: Pools,
  sessionsOf: SessionsOf,
): { instance: Instance; reason: string }[] {
  return membersOf(pools, live).flatMap(({ pool, current, outdated }) => [
    ...outdated.map((instance) => ({ instance, reason: reasonOf(service, instance) })),
    ...surplus(current, pool.instances, sessionsOf).map((instance) => ({
      instance,
      reason: service.spec.enabled ? 'ScaledDown' : 'Stopped',
    })),
  ]);
}

function fewestSessionsFirst(instances: readonly Instance[], sessionsOf: SessionsOf): Instance[] {
  return [...instances].sort(
    (a, b) => sessionsOf(a) - sessionsOf(b) || b.createdAt.localeCompare(a.createdAt) || a.id.localeCompare(b.id),
  );
}

function reasonOf(service: Service, instance: Instance): LeavingReason {
  if (!service.spec.enabled) return 'Stopped';
  return (instance.replace?.reason as LeavingReason | undefined) ?? 'NewVersion';
}

/** An address that is back is as it was. */
const BACK: ReadonlySet<string> = new Set<LeavingReason>(['AddressRemoved', 'NameChanged']);

function planExternal(service: Service, instances: readonly Instance[], facts: NameFacts): PlanAction[] {
  const wanted = wantedAddresses(service, instances, facts);
  const present = new Map(instances.map((instance) => [instance.id, instance]));
  const actions: PlanAction[] = [];
  for (const [id, one] of wanted) if (!present.has(id)) actions.push({ do: 'create-fixed', service, id, wanted: one });
  for (const instance of instances) {
    const one = wanted.get(instance.id);
    if (instance.lease !== undefined) {
      if (isLive(instance) && instance.version !== service.version)
        actions.push({ do: 'follow', instance, patch: { version: service.version } });
    } else if (one === undefined) actions.push(...leave(service, instance, wanted, present, facts));
    else if (!isLive(instance)) {
      if (BACK.has(instance.drain?.reason ?? '')) actions.push({ do: 'resume', instance });
    } else {
      const patch = followed(service, instance, one, facts.now);
      if (patch !== undefined) actions.push({ do: 'follow', instance, patch });
    }
  }
  return actions;
}

function leave(
  service: Service,
  instance: Instance,
  wanted: ReadonlyMap<string, WantedAddress>,
  present: ReadonlyMap<string, Instance>,
  facts: NameFacts,
): PlanAction[] {
  if (!isLive(instance)) return [];
  // It never was ready, so nobody is on it.
  const neverServed = instance.state === 'unknown' || instance.state === 'failed';
  if (instance.hostname !== undefined && neverServed && instance.readyAt === undefined)
    return [{ do: 'remove', instance }];
  if (!isNamedBy(service, instance)) return [{ do: 'drain', service, instance, reason: 'AddressRemoved' }];
  return isHandedOver(instance, wanted, present, facts)
    ? []
    : [{ do: 'drain', service, instance, reason: 'NameChanged' }];
}
