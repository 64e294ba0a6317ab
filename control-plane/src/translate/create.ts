/**
 * FleetView to Snapshot. What belongs to one service is kept as long as the service is the same object in the fleet, so a change of one
 * endpoint encodes one resource; routes are encoded anew only when a route or a service's settings changed.
 */
import type { FleetService, FleetView } from '../model/fleet.ts';
import type { Snapshot, TypeSet, TypeUrl, XdsResource } from '../xds/snapshot.ts';
import { cluster } from './cluster.ts';
import { endpoints } from './endpoint.ts';
import { extensions } from './extensions.ts';
import { LISTENER_NAME, listener } from './listener.ts';
import type { Problem, TranslateOptions } from './options.ts';
import { resource, setOf, whyNot } from './resource.ts';
import type { Reachable } from './route-action.ts';
import { createRouteTable } from './route-table.ts';
import { createTagPools } from './tag-pools.ts';

const TYPES = {
  cluster: 'envoy.config.cluster.v3.Cluster',
  endpoint: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
  extension: 'envoy.config.core.v3.TypedExtensionConfig',
  listener: 'envoy.config.listener.v3.Listener',
  route: 'envoy.config.route.v3.RouteConfiguration',
} as const;

export interface Translator {
  translate(fleet: FleetView): { snapshot: Snapshot; problems: readonly Problem[] };
}

interface Translated {
  readonly cluster: XdsResource | undefined;
  readonly endpoints: XdsResource | undefined;
  readonly reachable: Reachable | undefined;
  readonly problems: readonly Problem[];
}

/** A cluster keeps its bytes, and routes to it theirs, though an endpoint changed. */
interface Built {
  readonly gateway: FleetService['gateway'];
  readonly clusterText: string;
  readonly routeText: string;
  readonly cluster: XdsResource;
  readonly reachable: Reachable;
}

const url = (type: string): TypeUrl => `type.googleapis.com/${type}`;

export function createTranslator(options: TranslateOptions): Translator {
  const listeners = setOf([resource(TYPES.listener, LISTENER_NAME, listener(options))]);
  const tagPools = createTagPools();
  const routeTable = createRouteTable();
  let kept = new Map<FleetService, Translated>();
  let clusterSet = setOf([]);
  let endpointSet = setOf([]);
  let built = new Map<string, Built>();
  /** What a service was last translated to: it goes on being served if its newest form can't be. */
  let lastGood = new Map<string, Translated>();

  function build(
    { name, gateway }: FleetService,
    fragment: { readonly cluster: Record<string, unknown>; readonly route?: Record<string, unknown> },
  ): Built {
    const clusterText = JSON.stringify(fragment.cluster);
    const routeText = JSON.stringify(fragment.route ?? {});
    const old = built.get(name);
    const same = old?.gateway === gateway;
    return {
      gateway,
      clusterText,
      routeText,
      cluster:
        same && old.clusterText === clusterText
          ? old.cluster
          : resource(TYPES.cluster, name, cluster(name, gateway, fragment.cluster)),
      reachable:
        same && old.routeText === routeText ? old.reachable : { name, gateway, fragment: fragment.route ?? {} },
    };
  }

  function translateService(service: FleetService): Translated {
    const { type, options: policyOptions } = service.gateway.policy;
    try {
      const policy = options.policies.get(type);
      if (policy === undefined) throw new Error(`there is no routing policy ${type}`);
      const fragment = policy.apply(policy.options.parse(policyOptions), service.instances);
      const next = build(service, fragment);
      const assignment = endpoints(service, fragment.weights);
      const translated: Translated = {
        cluster: next.cluster,
        endpoints: resource(TYPES.endpoint, service.name, assignment.resource),
        reachable: next.reachable,
        problems: assignment.problems,
      };
      built.set(service.name, next);
      lastGood.set(service.name, translated);
      return translated;
    } catch (error) {
      const problem: Problem = { kind: 'Service', name: service.name, message: whyNot(error) };
      const last = lastGood.get(service.name);
      return last === undefined
        ? { cluster: undefined, endpoints: undefined, reachable: undefined, problems: [problem] }
        : { ...last, problems: [problem] };
    }
  }

  let filters: { readonly services: FleetView['services']; readonly set: TypeSet } | undefined;
  function extensionSet({ services }: FleetView): TypeSet {
    if (filters?.services !== services)
      filters = {
        services,
        set: setOf(extensions(services, options).map((one) => resource(TYPES.extension, one.name, one))),
      };
    return filters.set;
  }

  return {
    translate(fleet) {
      const pools = tagPools(fleet);
      const clusters = [...fleet.services, ...pools];
      const next = new Map<FleetService, Translated>();
      for (const service of clusters) next.set(service, kept.get(service) ?? translateService(service));
      kept = next;
      const names = new Set(clusters.map((service) => service.name));
      built = new Map([...built].filter(([name]) => names.has(name)));
      lastGood = new Map([...lastGood].filter(([name]) => names.has(name)));
      const all = [...next.values()];
      const present = <T>(from: readonly Translated[], pick: (one: Translated) => T | undefined): T[] =>
        from.map(pick).filter((one) => one !== undefined);
      const table = routeTable(
        fleet.routes,
        present(all.slice(0, fleet.services.length), (one) => one.reachable),
        present(all.slice(fleet.services.length), (one) => one.reachable),
      );
      clusterSet = setOf(
        present(all, (one) => one.cluster),
        clusterSet,
      );
      endpointSet = setOf(
        present(all, (one) => one.endpoints),
        endpointSet,
      );
      const types = new Map<TypeUrl, TypeSet>([
        [url(TYPES.cluster), clusterSet],
        [url(TYPES.endpoint), endpointSet],
        [url(TYPES.extension), extensionSet(fleet)],
        [url(TYPES.listener), listeners],
        [url(TYPES.route), setOf([table.resource])],
      ]);
      return {
        snapshot: { revision: fleet.revision, types },
        problems: [...all.flatMap((one) => one.problems), ...table.problems],
      };
    },
  };
}
