/**
 * The instances that an external service's addresses stand for. Pure, and without memory: while nobody can tell what a name stands for, its
 * instances in the registry are what was known last, also after a restart.
 */
import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { Names, Resolution } from '../discovery/names.ts';
import { hostPort } from '../model/address.ts';
import { isLive } from '../model/drain.ts';
import type { Instance } from '../model/instance.ts';
import type { ConditionReason, InstanceReason } from '../model/reasons.ts';
import type { Address, FixedAddress, Service } from '../model/service.ts';
import type { InstancePatch, RegistryView } from '../registry/registry.ts';

/** What is known of names and of the instances at them. */
export interface NameFacts {
  /** Undefined: it is still being looked up. */
  readonly of: (name: string) => Resolution | undefined;
  /** Nothing speaks against sending it sessions. */
  readonly isHealthy: (instance: Instance) => boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export const NO_NAMES: NameFacts = { of: () => undefined, isHealthy: () => true, now: 0 };

export interface WantedAddress {
  readonly entry: FixedAddress;
  /** Undefined: its name stands for none, which is shown as an instance too. */
  readonly address: Address | undefined;
  readonly hostname: string | undefined;
  /** Why its name was not found the last time. */
  readonly problem: string | undefined;
}

/** What has left a name stays open to new sessions until what has come to it is ready, at most this long. */
const HAND_OVER_MS = 5_000;

const isName = ({ host }: FixedAddress): boolean => isIP(host) === 0;

/** A fixed address always has the same instance id. */
export function fixedId(service: string, host: string, port: number): string {
  return `${service}-${createHash('sha256').update(`${host}:${port}`).digest('hex').slice(0, 6)}`;
}

interface Parts {
  readonly literal: ReadonlyMap<string, WantedAddress>;
  readonly named: readonly FixedAddress[];
}
const partsOfSpec = new WeakMap<Service['spec'], Parts>();

/** Made once for each spec. */
function partsOf({ name, spec }: Service): Parts {
  const old = partsOfSpec.get(spec);
  if (old !== undefined) return old;
  const [named, literal] = [spec.addresses?.filter(isName) ?? [], spec.addresses?.filter((one) => !isName(one)) ?? []];
  const parts: Parts = {
    named,
    literal: new Map(
      literal.map((entry) => {
        const { host, port } = entry;
        return [
          fixedId(name, host, port),
          { entry, address: { host, port }, hostname: undefined, problem: undefined },
        ] as const;
      }),
    ),
  };
  partsOfSpec.set(spec, parts);
  return parts;
}

/** All names that services stand at. */
function namesIn(view: RegistryView): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { value: service } of view.services.values())
    if (service.spec.runtime === 'external') for (const { host } of partsOf(service).named) names.add(host);
  return names;
}

/** Whatever stands in a service is followed from now on. */
export function nameFacts(names: Names, view: RegistryView, isHealthy: NameFacts['isHealthy'], now: number): NameFacts {
  names.follow(namesIn(view));
  return { of: (name) => names.of(name), isHealthy, now };
}

const at = ({ host, port }: FixedAddress): string => hostPort(host, port);

/** Live instances at addresses of names, by name and port. */
function byName(instances: readonly Instance[]): ReadonlyMap<string, readonly Instance[]> {
  return Map.groupBy(
    instances.filter((one) => one.hostname !== undefined && one.address !== undefined && isLive(one)),
    ({ hostname = '', address }) => hostPort(hostname, address?.port ?? 0),
  );
}

const serves = (instance: Instance, { isHealthy }: NameFacts): boolean =>
  instance.state === 'ready' && isLive(instance) && isHealthy(instance);

/** A name with both families is one agent that can be reached in two ways: that which works is taken, IPv4 if both do, and both are tried until then. */
function ofOneFamily(hosts: readonly string[], own: readonly Instance[], facts: NameFacts): readonly string[] {
  const families = [4, 6].map((family) => hosts.filter((host) => isIP(host) === family));
  if (families.some((list) => list.length === 0)) return hosts;
  const works = (host: string): boolean => own.some((one) => one.address?.host === host && serves(one, facts));
  return families.find((list) => list.some(works)) ?? hosts;
}

/** By instance id. */
export function wantedAddresses(
  service: Service,
  instances: readonly Instance[],
  facts: NameFacts,
): ReadonlyMap<string, WantedAddress> {
  const { literal, named } = partsOf(service);
  if (named.length === 0) return literal;
  const wanted = new Map(literal);
  const present = byName(instances);
  const ids = new Set(instances.map(({ id }) => id));
  for (const entry of named) {
    const { host: hostname, port } = entry;
    const resolution = facts.of(hostname);
    const own = present.get(at(entry)) ?? [];
    const known = resolution?.addresses ?? own.flatMap(({ address }) => (address === undefined ? [] : [address.host]));
    for (const host of ofOneFamily(known, own, facts)) {
      const id = fixedId(service.name, host, port);
      if (!wanted.has(id)) wanted.set(id, { entry, address: { host, port }, hostname, problem: resolution?.problem });
    }
    const id = fixedId(service.name, hostname, port);
    if (known.length === 0 && (resolution !== undefined || ids.has(id)))
      wanted.set(id, { entry, address: undefined, hostname, problem: resolution?.problem });
  }
  return wanted;
}

/** The name of this instance has got other addresses, of which none serves yet, but one soon may. */
export function isHandedOver(
  { hostname, address }: Instance,
  wanted: ReadonlyMap<string, WantedAddress>,
  instances: ReadonlyMap<string, Instance>,
  facts: NameFacts,
): boolean {
  const others = [...wanted].filter(
    ([, one]) => one.hostname === hostname && one.address !== undefined && one.address.port === address?.port,
  );
  const found = others.map(([id]) => instances.get(id));
  const isNew = (one: Instance | undefined): boolean =>
    one === undefined || facts.now - Date.parse(one.createdAt) < HAND_OVER_MS;
  return hostname !== undefined && !found.some((one) => one !== undefined && serves(one, facts)) && found.some(isNew);
}

/** Whether this instance's name still stands in the spec. */
export function isNamedBy({ spec }: Service, { hostname, address }: Instance): boolean {
  return (
    hostname !== undefined &&
    spec.addresses?.some((one) => one.host === hostname && one.port === address?.port) === true
  );
}

const CONDITION = 'NameResolved';

/** As an instance without an address tells it. */
export function unresolved({ hostname = '', problem }: Pick<WantedAddress, 'hostname' | 'problem'>): string {
  return `${hostname} has no address: ${problem ?? 'it is looked up'}`;
}

function condition({ hostname = '', problem, address }: WantedAddress, now: number): Instance['conditions'] {
  if (problem === undefined || address === undefined) return [];
  const message = `${hostname} can not be looked up, so the address known last is kept: ${problem}`;
  const reason: ConditionReason = 'NameNotResolved';
  return [{ type: CONDITION, status: 'false', reason, message, since: new Date(now).toISOString() }];
}

/** Instances that were found to be what an entry says. */
const asWritten = new WeakMap<Instance, FixedAddress>();
const sameTags = (a: object, b: object): boolean =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

/** What is to be changed of an instance so that it is as its service says; undefined: nothing. */
export function followed(
  service: Service,
  instance: Instance,
  wanted: WantedAddress,
  now: number,
): InstancePatch | undefined {
  const { entry, hostname, address } = wanted;
  const patch: InstancePatch = {};
  if (instance.version !== service.version) patch.version = service.version;
  if (asWritten.get(instance) !== entry) {
    if (!sameTags(instance.tags, entry.tags ?? {})) patch.tags = entry.tags ?? {};
    if (instance.weight !== (entry.weight ?? 1)) patch.weight = entry.weight ?? 1;
    if (instance.zone !== entry.zone) patch.zone = entry.zone;
    if (instance.hostname !== hostname) patch.hostname = hostname;
  }
  const [old] = instance.conditions.filter(({ type }) => type === CONDITION);
  const [next] = condition(wanted, now);
  if (old?.message !== next?.message)
    patch.conditions = [
      ...instance.conditions.filter(({ type }) => type !== CONDITION),
      ...(next === undefined ? [] : [next]),
    ];
  if (address === undefined && instance.message !== unresolved(wanted)) {
    patch.reason = 'NameNotResolved' satisfies InstanceReason;
    patch.message = unresolved(wanted);
  }
  if (Object.keys(patch).length > 0) return patch;
  asWritten.set(instance, entry);
  return undefined;
}
