/**
 * FleetView to Snapshot. What belongs to one service is kept as long as the service is the same object in the fleet, so a change of one
 * endpoint encodes one resource; routes are encoded anew only when a route or a service's settings changed.
 */
import type { FleetService, FleetView } from '../model/fleet.ts';
import { gatewayCheckOf } from '../model/gateway-check.ts';
import type { LoadSignals } from '../model/load.ts';
import { sameParts } from '../model/same-parts.ts';
import { applyPolicy, type Applied } from '../routing/apply-policy.ts';
import type { PolicyFragment } from '../routing/policy.ts';
import type { Snapshot, TypeSet, TypeUrl, XdsResource } from '../xds/snapshot.ts';
import { transportSocket, type ServiceTls } from './agent-tls.ts';
import { cluster } from './cluster.ts';
import { endpoints } from './endpoint.ts';
import { extensions, hasPart } from './extensions.ts';
import { SESSION_HEADER } from './filters.ts';
import { LISTENER_NAME, PROXY_PROTOCOL_NAME, ROUTES_NAME, listener, proxyProtocolListener } from './listener.ts';
import type { Problem, TranslateOptions } from './options.ts';
import { changedSet, resource, setOf, whyNot } from './resource.ts';
import type { Reachable } from './route-action.ts';
import { createRouteTable } from './route-table.ts';
import { createPools, type Pool } from './pools.ts';

const TYPES = {
  cluster: 'envoy.config.cluster.v3.Cluster',
  endpoint: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
  extension: 'envoy.config.core.v3.TypedExtensionConfig',
  listener: 'envoy.config.listener.v3.Listener',
  route: 'envoy.config.route.v3.RouteConfiguration',
} as const;

export interface Translation {
  readonly snapshot: Snapshot;
  readonly problems: readonly Problem[];
}

export interface Translator {
  translate(fleet: FleetView): Translation;
  /**
   * The last fleet anew by the present signals; undefined: nothing depends on them. `capacity`: who is full, to be called at every change of
   * sessions. `weights`: one step of the live policies, to be called at a steady pace, which is theirs.
   */
  refresh(what: 'capacity' | 'weights'): Translation | undefined;
  /** The weights that a service's policy gave last. */
  weights(service: string): ReadonlyMap<string, number>;
  /** Instances of a service that were closed to new sessions in the last translation: they are full, or its policy leaves them out. */
  closed(service: string): ReadonlySet<string>;
}

interface Translated {
  readonly service: FleetService;
  readonly cluster: XdsResource | undefined;
  readonly endpoints: XdsResource | undefined;
  readonly reachable: Reachable | undefined;
  readonly closed: ReadonlySet<string>;
  readonly problems: readonly Problem[];
}

/** A cluster keeps its bytes, and routes to it theirs, though an endpoint changed. */
interface Built {
  readonly gateway: FleetService['gateway'];
  readonly check: FleetService['check'];
  readonly tls: readonly ServiceTls[];
  readonly fragment: PolicyFragment;
  readonly clusterText: string;
  readonly routeText: string;
  readonly cluster: XdsResource;
  readonly reachable: Reachable;
}

const url = (type: string): TypeUrl => `type.googleapis.com/${type}`;
const NOTHING: ReadonlyMap<string, number> = new Map();
const NO_TLS: readonly ServiceTls[] = [];
const NOBODY: ReadonlySet<string> = new Set();

/** Affinity by a key is the hash policy by that key. */
function policyOf({ policy, affinity }: FleetService['gateway']): { type: string; options: unknown } {
  if (affinity?.type !== 'key') return policy;
  const by = [
    ...affinity.query.map((query) => ({ query })),
    ...(affinity.query.includes('session_id') ? [{ header: SESSION_HEADER }] : []),
    ...(affinity.header === undefined ? [] : [{ header: affinity.header }]),
    ...(affinity.cookie === undefined ? [] : [{ cookie: affinity.cookie }]),
  ];
  return { type: 'hash', options: { by } };
}

const limitsOf = (services: readonly FleetService[]): ReadonlyMap<string, number> =>
  new Map(
    services.flatMap(({ gateway: { limits }, instances }) => {
      const most = limits?.sessionsPerInstance;
      return most === undefined ? [] : instances.map(({ id }) => [id, most] as const);
    }),
  );

/** An instance that is new starts as an ordinary one. */
function keptWeights({ instances }: FleetService, weights: ReadonlyMap<string, number>): Map<string, number> {
  const ordinary = Math.max(
    1,
    Math.round([...weights.values()].reduce((sum, one) => sum + one, 0) / Math.max(1, weights.size)),
  );
  return new Map(instances.map(({ id }) => [id, weights.get(id) ?? ordinary]));
}

export function createTranslator(options: TranslateOptions): Translator {
  const balanced = proxyProtocolListener(options);
  const listeners = setOf([
    resource(TYPES.listener, LISTENER_NAME, listener(options)),
    ...(balanced === undefined ? [] : [resource(TYPES.listener, PROXY_PROTOCOL_NAME, balanced)]),
  ]);
  const poolsOf = createPools();
  const routeTable = createRouteTable(options.gateway.trustedProxies ?? []);
  /** By name, in the form that the fleet had it last. */
  const kept = new Map<string, Translated>();
  let clusterSet = setOf([]);
  let endpointSet = setOf([]);
  let routeSet = setOf([]);
  /** What a service was last translated to: it goes on being served if its newest form can't be. */
  const built = new Map<string, Built>();
  let lastFleet: FleetView | undefined;
  /** Of instances that pools over several services hold: how many sessions their own services allow them. */
  let mostAt: ReadonlyMap<string, number> = new Map();
  /** Live policies move only in their own steps, however often the fleet changes. */
  let stepping = false;

  function build(
    { name, of, gateway, check, shares, asks, several, tls = NO_TLS }: Pool,
    fragment: PolicyFragment,
  ): Built {
    const clusterText = JSON.stringify(fragment.cluster);
    const routeText = JSON.stringify([fragment.route ?? {}, shares ?? [], asks ?? false, several ?? false]);
    const old = built.get(name);
    const same = old?.gateway === gateway && sameParts(old.tls, tls);
    return {
      gateway,
      check,
      tls,
      fragment,
      clusterText,
      routeText,
      cluster:
        same && old.check === check && old.clusterText === clusterText
          ? old.cluster
          : resource(
              TYPES.cluster,
              name,
              cluster(name, gateway, check ?? gatewayCheckOf(gateway.healthCheck), {
                ...transportSocket(gateway, tls, options.systemTrust),
                ...fragment.cluster,
              }),
            ),
      reachable:
        same && old.routeText === routeText
          ? old.reachable
          : {
              name,
              gateway,
              fragment: fragment.route ?? {},
              ...(of === undefined ? {} : { of }),
              ...(shares === undefined ? {} : { shares }),
              ...(asks === undefined ? {} : { asks }),
              ...(several === undefined ? {} : { several }),
            },
    };
  }

  function applied(service: FleetService): Applied {
    const wanted = policyOf(service.gateway);
    const found = service.instances.map(({ id }) => [id, options.signals(id)] as const);
    const signals = new Map(found.filter((one): one is readonly [string, LoadSignals] => one[1] !== undefined));
    const old = built.get(service.name)?.fragment;
    const policy = options.policies.get(wanted.type);
    if (
      policy?.live === true &&
      !stepping &&
      old?.weights !== undefined &&
      built.get(service.name)?.gateway === service.gateway
    )
      return { fragment: { ...old, weights: keptWeights(service, old.weights) }, problem: undefined };
    const context = { signals, previous: old?.weights ?? NOTHING };
    return applyPolicy(policy, wanted, service.instances, context, old);
  }

  function translateService(service: Pool): Translated {
    const { name, gateway } = service;
    const { fragment, problem } = applied(service);
    const problems: Problem[] =
      problem === undefined ? [] : [{ kind: 'Service', name: service.of ?? name, message: problem }];
    let next = built.get(name);
    try {
      next = build(service, fragment);
      built.set(name, next);
    } catch (error) {
      problems.push({ kind: 'Service', name: service.of ?? name, message: whyNot(error) });
    }
    const ownMost = gateway.limits?.sessionsPerInstance;
    const isFull = (id: string): boolean => {
      const most = ownMost ?? mostAt.get(id);
      return most !== undefined && (options.signals(id)?.sessions ?? 0) >= most;
    };
    const closed = new Set(
      service.instances.map(({ id }) => id).filter((id) => fragment.excluded?.has(id) === true || isFull(id)),
    );
    const assignment = endpoints(service, fragment, closed);
    return {
      service,
      cluster: next?.cluster,
      endpoints: next === undefined ? undefined : resource(TYPES.endpoint, name, assignment.resource),
      reachable: next?.reachable,
      closed,
      problems: [...problems, ...assignment.problems],
    };
  }

  const isLive = ({ gateway, instances }: FleetService, what: 'capacity' | 'weights'): boolean =>
    what === 'capacity'
      ? gateway.limits?.sessionsPerInstance !== undefined ||
        (mostAt.size > 0 && instances.some(({ id }) => mostAt.has(id)))
      : options.policies.get(policyOf(gateway).type)?.live === true;

  let filters: { readonly from: readonly FleetService[]; readonly set: TypeSet } | undefined;
  function extensionSet(services: readonly FleetService[]): TypeSet {
    const from = services.filter(hasPart);
    if (filters === undefined || !sameParts(filters.from, from))
      filters = {
        from,
        set: setOf(extensions(from, options).map((one) => resource(TYPES.extension, one.name, one))),
      };
    return filters.set;
  }

  /** Returns the names of those that are gone. */
  function forgetAllBut(names: ReadonlySet<string>): string[] {
    const gone = [...kept.keys(), ...built.keys()].filter((name) => !names.has(name));
    for (const name of gone) {
      kept.delete(name);
      built.delete(name);
    }
    return gone;
  }

  const translator: Translator = {
    translate(fleet) {
      lastFleet = fleet;
      const { pools, scopes } = poolsOf(fleet);
      mostAt = pools.some(({ of }) => of === undefined) ? limitsOf(fleet.services) : NOTHING;
      const clusters: readonly Pool[] = pools.length === 0 ? fleet.services : [...fleet.services, ...pools];
      const changes = {
        clusters: new Map<string, XdsResource | undefined>(),
        endpoints: new Map<string, XdsResource | undefined>(),
      };
      const reach: { services: Reachable[]; pools: Reachable[] } = { services: [], pools: [] };
      const problems: Problem[] = [];
      for (const [index, service] of clusters.entries()) {
        const { name } = service;
        const old = kept.get(name);
        let one = old;
        if (one?.service !== service) {
          one = translateService(service);
          kept.set(name, one);
          changes.clusters.set(name, one.cluster);
          changes.endpoints.set(name, one.endpoints);
        }
        if (one.reachable !== undefined)
          (index < fleet.services.length ? reach.services : reach.pools).push(one.reachable);
        if (one.problems.length > 0) problems.push(...one.problems);
      }
      if (kept.size > clusters.length)
        for (const name of forgetAllBut(new Set(clusters.map((one) => one.name)))) {
          changes.clusters.set(name, undefined);
          changes.endpoints.set(name, undefined);
        }
      clusterSet = changedSet(clusterSet, changes.clusters);
      endpointSet = changedSet(endpointSet, changes.endpoints);
      const table = routeTable(fleet.routes, reach, fleet.services, scopes);
      if (routeSet.resources.get(ROUTES_NAME) !== table.resource)
        routeSet = changedSet(routeSet, new Map([[ROUTES_NAME, table.resource]]));
      const types = new Map<TypeUrl, TypeSet>([
        [url(TYPES.cluster), clusterSet],
        [url(TYPES.endpoint), endpointSet],
        [url(TYPES.extension), extensionSet(fleet.services)],
        [url(TYPES.listener), listeners],
        [url(TYPES.route), routeSet],
      ]);
      return { snapshot: { revision: fleet.revision, types }, problems: [...problems, ...table.problems] };
    },
    refresh(what) {
      if (lastFleet?.services.some((service) => isLive(service, what)) !== true) return undefined;
      for (const [name, { service }] of kept) if (isLive(service, what)) kept.delete(name);
      stepping = what === 'weights';
      try {
        return translator.translate(lastFleet);
      } finally {
        stepping = false;
      }
    },
    weights: (service) => built.get(service)?.fragment.weights ?? NOTHING,
    closed: (service) => kept.get(service)?.closed ?? NOBODY,
  };
  return translator;
}
