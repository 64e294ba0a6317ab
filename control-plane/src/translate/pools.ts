/**
 * Clusters that are no service: instances by their tags, over services or of one, and a service's instances by another policy. Each is a
 * cluster of its own, so that a new route changes none of the services' clusters (a changed cluster forgets how many sessions its instances have).
 */
import { hasWords, scopesKey, scopesOf, type Scope } from '../model/entry.ts';
import type { FleetInstance, FleetService, FleetView } from '../model/fleet.ts';
import type { Target } from '../model/route.ts';
import { ServiceGateway, type HintedPolicy } from '../model/service.ts';
import { sameParts } from '../model/same-parts.ts';
import type { ServiceTls } from './agent-tls.ts';

type TagTarget = Extract<Target, { tags: unknown }>;

export interface Pool extends FleetService {
  /** Whose instances they are; absent: of several. */
  readonly of?: string;
  /** How instances of several services are reached; absent: all alike. */
  readonly tls?: readonly ServiceTls[];
}

const NONE: readonly Pool[] = [];
const DEFAULTS: ServiceGateway = ServiceGateway.parse({});

/** Names of pools can't be those of services: they hold a colon. */
export function poolName({ tags, service }: TagTarget): string {
  const text = Object.entries(tags)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
  return `${service ?? ''}:${text}`;
}
export const wordsPool = (words: readonly string[], service = ''): string => `${service}:?${words.join(',')}`;
export const policyPool = (policy: HintedPolicy, service: string): string => `${service}:~${policy}`;

/** Whose cluster it is: a pool has behind a colon what it is of its service; empty: of several. */
export const serviceOfCluster = (cluster: string): string => cluster.split(':', 1)[0] ?? cluster;

/** What chooses in a cluster that is no service of its own; undefined: its service's policy. */
export function policyOfPool(cluster: string): string | undefined {
  if (cluster.startsWith(':')) return DEFAULTS.policy.type;
  return cluster.includes(':~') ? cluster.slice(cluster.indexOf(':~') + 2) : undefined;
}

export const hasTags = (instance: FleetInstance, tags: Readonly<Record<string, string>>): boolean =>
  Object.entries(tags).every(([key, value]) => instance.tags[key] === value);

/** What clients of the old way in may ask for by tags. */
export interface EntryScopes {
  readonly over: readonly Scope[];
  /** Of one service, beyond what all of its instances have. */
  readonly within: ReadonlyMap<string, readonly Scope[]>;
}

export interface Pools {
  readonly pools: readonly Pool[];
  readonly scopes: EntryScopes;
}

const NO_TLS: readonly ServiceTls[] = [];
const tlsByGateway = new WeakMap<ServiceGateway, ServiceTls>();

/** Of the services that these instances are of. */
function tlsOf(services: readonly FleetService[], instances: readonly FleetInstance[]): readonly ServiceTls[] {
  const present = new Set(instances.map((one) => one.tls));
  return services.flatMap(({ name, gateway }) => {
    if (gateway.tls === undefined || !present.has(name)) return [];
    const one = tlsByGateway.get(gateway) ?? { service: name, tls: gateway.tls };
    tlsByGateway.set(gateway, one);
    return [one];
  });
}

interface Wanted {
  readonly name: string;
  readonly of: string | undefined;
  readonly takes: (instance: FleetInstance) => boolean;
  readonly policy?: HintedPolicy;
}

function wantedBy({ over, within }: EntryScopes): Wanted[] {
  const pool = ({ words }: Scope, of?: string): Wanted => ({
    name: wordsPool(words, of),
    of,
    takes: ({ tags }) => hasWords(tags, words),
  });
  return [
    ...over.filter(({ whole }) => whole === undefined).map((scope) => pool(scope)),
    ...[...within].flatMap(([service, scopes]) => scopes.map((scope) => pool(scope, service))),
  ];
}

const tagged = new WeakMap<FleetService, boolean>();

/** Found once for each form of a service: few of thousands change at a time. */
function isTagged(service: FleetService): boolean {
  let found = tagged.get(service);
  if (found === undefined) {
    const { tags, instances } = service;
    found = tags !== undefined || instances.some((one) => Object.keys(one.tags).length > 0);
    tagged.set(service, found);
  }
  return found;
}

/** Pools that did not change keep their identity, like services in the fleet. */
export function createPools(): (fleet: Pick<FleetView, 'services' | 'routes'>) => Pools {
  let kept = new Map<string, Pool>();
  let scopes: EntryScopes = { over: [], within: new Map() };
  let scopesFrom = '';
  /** The service's own settings with another policy, by identity of both. */
  const hinted = new WeakMap<ServiceGateway, Map<HintedPolicy, ServiceGateway>>();

  function scopesFor(services: readonly FleetService[]): EntryScopes {
    const next = services.filter(isTagged);
    const text = scopesKey(next);
    if (text === scopesFrom) return scopes;
    scopesFrom = text;
    const within = next.map((one) => [one.name, scopesOf([one]).filter(({ whole }) => whole === undefined)] as const);
    return { over: scopesOf(next), within: new Map(within.filter(([, found]) => found.length > 0)) };
  }

  function gatewayOf(gateway: ServiceGateway, policy: HintedPolicy | undefined): ServiceGateway {
    if (policy === undefined) return gateway;
    const made = hinted.get(gateway) ?? new Map<HintedPolicy, ServiceGateway>();
    hinted.set(gateway, made);
    const { affinity, ...rest } = gateway;
    // A key decides as the hash policy does: whoever asks for another policy gets that.
    const next = made.get(policy) ?? {
      ...rest,
      ...(affinity === undefined || affinity.type === 'key' ? {} : { affinity }),
      policy: { type: policy, options: {} },
    };
    made.set(policy, next);
    return next;
  }

  function pool({ name, of, takes, policy }: Wanted, services: readonly FleetService[]): Pool {
    const from = of === undefined ? services : services.filter((one) => one.name === of);
    const service = of === undefined ? undefined : from[0];
    const gateway = service === undefined ? DEFAULTS : gatewayOf(service.gateway, policy);
    const asks = service?.asks;
    const several = service === undefined || service.several;
    // By another policy all versions serve; of some instances a version might have none.
    const check = service?.check;
    const shares = policy === undefined ? undefined : service?.shares;
    const instances = from.flatMap((one) => one.instances).filter(takes);
    const tls = service === undefined ? tlsOf(from, instances) : NO_TLS;
    const old = kept.get(name);
    if (
      sameParts(old?.tls ?? NO_TLS, tls) &&
      old?.gateway === gateway &&
      old.check === check &&
      old.asks === asks &&
      old.several === several &&
      old.shares === shares &&
      sameParts(old.instances, instances)
    )
      return old;
    return {
      name,
      gateway,
      instances,
      ...(of === undefined ? {} : { of }),
      ...(check === undefined ? {} : { check }),
      ...(tls.length === 0 ? {} : { tls }),
      ...(asks === undefined ? {} : { asks }),
      ...(several === undefined ? {} : { several }),
      ...(shares === undefined ? {} : { shares }),
    };
  }

  return ({ services, routes }) => {
    scopes = scopesFor(services);
    const wanted: Wanted[] = [
      ...routes.flatMap(({ spec: { target } }): Wanted[] =>
        'tags' in target
          ? [{ name: poolName(target), of: target.service, takes: (one) => hasTags(one, target.tags) }]
          : [],
      ),
      ...wantedBy(scopes),
      ...services.flatMap(({ name, gateway: { hints = [] } }) =>
        hints.map((policy): Wanted => ({ name: policyPool(policy, name), of: name, takes: () => true, policy })),
      ),
    ];
    if (wanted.length === 0 && kept.size === 0) return { pools: NONE, scopes };
    const names = new Map(wanted.map((one) => [one.name, one]));
    const pools = [...names.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map((one) => pool(one, services));
    kept = new Map(pools.map((one) => [one.name, one]));
    return { pools, scopes };
  };
}
