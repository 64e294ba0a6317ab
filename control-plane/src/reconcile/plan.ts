/**
 * The plan: from what is wanted and what is there to what to do next. Pure, and without memory: it can be computed anew at
 * any moment, so a restart of the control plane loses nothing. New instances come before old ones go; an instance with
 * sessions is never ended, only drained.
 */
import { createHash } from 'node:crypto';
import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import type { RegistryView } from '../registry/registry.ts';

export type PlanAction =
  | { readonly do: 'create'; readonly service: Service }
  | {
      readonly do: 'create-fixed';
      readonly service: Service;
      readonly id: string;
      readonly address: NonNullable<Service['spec']['addresses']>[number];
    }
  | {
      readonly do: 'drain';
      readonly service: Service | undefined;
      readonly instance: Instance;
      readonly reason: string;
    }
  | { readonly do: 'follow-version'; readonly instance: Instance; readonly version: number };

/** Open sessions of an instance as far as known. */
export type SessionsOf = (instance: Instance) => number;

export function plan(view: RegistryView, sessionsOf: SessionsOf): PlanAction[] {
  const byService = Map.groupBy(
    [...view.instances.values()].map((held) => held.value),
    (instance) => instance.service,
  );
  const actions: PlanAction[] = [];
  for (const { value: service } of view.services.values()) {
    const instances = byService.get(service.name) ?? [];
    actions.push(
      ...(service.spec.runtime === 'external'
        ? planExternal(service, instances)
        : planManaged(service, instances, sessionsOf)),
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

export function isLive(instance: Instance): boolean {
  return instance.drain === undefined;
}

export function wantedInstances(service: Service): number {
  return service.spec.enabled ? service.spec.replicas : 0;
}

/** Runs what the service wants now, and nobody asked to replace it. */
export function isCurrent(service: Service, instance: Instance): boolean {
  return instance.version === service.version && instance.replace === undefined;
}

function planManaged(service: Service, instances: readonly Instance[], sessionsOf: SessionsOf): PlanAction[] {
  const wanted = wantedInstances(service);
  const live = instances.filter(isLive);
  const current = live.filter((instance) => isCurrent(service, instance));
  const outdated = live.filter((instance) => !isCurrent(service, instance));
  const actions: PlanAction[] = [];

  // While old instances serve, at most a quarter more than wanted runs at a time.
  const surge = Math.max(1, Math.ceil(wanted / 4));
  const missing = Math.max(0, wanted - current.length);
  const servingOld = outdated.filter((instance) => instance.state === 'ready');
  const room = servingOld.length === 0 ? missing : Math.max(0, wanted + surge - current.length - servingOld.length);
  for (let count = 0; count < Math.min(missing, room); count += 1) actions.push({ do: 'create', service });

  // An old instance that serves goes only when enough others are ready; one that does not serve goes at once.
  const readyCurrent = current.filter((instance) => instance.state === 'ready').length;
  let spare = readyCurrent + servingOld.length - wanted;
  for (const instance of fewestSessionsFirst(servingOld, sessionsOf)) {
    if (spare <= 0) break;
    spare -= 1;
    actions.push({ do: 'drain', service, instance, reason: reasonOf(service, instance) });
  }
  for (const instance of outdated) {
    if (instance.state !== 'ready')
      actions.push({ do: 'drain', service, instance, reason: reasonOf(service, instance) });
  }

  for (const instance of surplus(service, instances, sessionsOf)) {
    actions.push({ do: 'drain', service, instance, reason: service.spec.enabled ? 'ScaledDown' : 'Stopped' });
  }
  return actions;
}

/** Current instances beyond what is wanted: those that do not serve first, then those with the fewest sessions, then the newest. */
export function surplus(service: Service, instances: readonly Instance[], sessionsOf: SessionsOf): Instance[] {
  const current = instances.filter((instance) => isLive(instance) && isCurrent(service, instance));
  const excess = current.length - wantedInstances(service);
  if (excess <= 0) return [];
  const idle = current.filter((instance) => instance.state !== 'ready');
  const serving = current.filter((instance) => instance.state === 'ready');
  return [...idle, ...fewestSessionsFirst(serving, sessionsOf)].slice(0, excess);
}

function fewestSessionsFirst(instances: readonly Instance[], sessionsOf: SessionsOf): Instance[] {
  return [...instances].sort(
    (a, b) => sessionsOf(a) - sessionsOf(b) || b.createdAt.localeCompare(a.createdAt) || a.id.localeCompare(b.id),
  );
}

function reasonOf(service: Service, instance: Instance): string {
  if (!service.spec.enabled) return 'Stopped';
  return instance.replace?.reason ?? 'NewVersion';
}

function planExternal(service: Service, instances: readonly Instance[]): PlanAction[] {
  const actions: PlanAction[] = [];
  const fixed = new Map((service.spec.addresses ?? []).map((address) => [idOf(service.name, address), address]));
  const present = new Map(instances.map((instance) => [instance.id, instance]));
  for (const [id, address] of fixed) {
    if (!present.has(id)) actions.push({ do: 'create-fixed', service, id, address });
  }
  for (const instance of instances) {
    if (!isLive(instance)) continue;
    if (instance.lease === undefined && !fixed.has(instance.id))
      actions.push({ do: 'drain', service, instance, reason: 'AddressRemoved' });
    else if (instance.version !== service.version)
      actions.push({ do: 'follow-version', instance, version: service.version });
  }
  return actions;
}

const fixedIds = new WeakMap<object, string>();

/** The id of an address of a service's spec, kept as long as the spec is. */
function idOf(service: string, address: { host: string; port: number }): string {
  const id = fixedIds.get(address) ?? fixedId(service, address.host, address.port);
  fixedIds.set(address, id);
  return id;
}

/** A fixed address always has the same instance id. */
export function fixedId(service: string, host: string, port: number): string {
  return `${service}-${createHash('sha256').update(`${host}:${port}`).digest('hex').slice(0, 6)}`;
}
