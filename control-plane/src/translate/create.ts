/**
 * FleetView to Snapshot. What belongs to one service is kept as long as the service is the same object in the fleet, so a change of one
 * endpoint encodes one resource; routes are encoded anew only when a route or a service's settings changed.
 */
import { createHash } from 'node:crypto';
import { EncodeError, encode, encodeWith } from '@switchboard/proto';
import { messageOf } from '../model/errors.ts';
import type { FleetRoute, FleetService, FleetView } from '../model/fleet.ts';
import type { Snapshot, TypeSet, TypeUrl, XdsResource } from '../xds/snapshot.ts';
import { cluster } from './cluster.ts';
import { extensions } from './extensions.ts';
import { endpoints } from './endpoint.ts';
import { LISTENER_NAME, ROUTES_NAME, listener } from './listener.ts';
import type { Problem, TranslateOptions } from './options.ts';
import {
  NO_AGENT_ROUTE,
  ROUTE_CONFIGURATION,
  VIRTUAL_HOST,
  customRoutes,
  standardRoutes,
  type Reachable,
} from './route.ts';

const TYPES = {
  cluster: 'envoy.config.cluster.v3.Cluster',
  endpoint: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
  extension: 'envoy.config.core.v3.TypedExtensionConfig',
  listener: 'envoy.config.listener.v3.Listener',
  route: 'envoy.config.route.v3.RouteConfiguration',
  oneRoute: 'envoy.config.route.v3.Route',
  virtualHost: 'envoy.config.route.v3.VirtualHost',
} as const;

export interface Translator {
  translate(fleet: FleetView): { snapshot: Snapshot; problems: readonly Problem[] };
}

interface Translated {
  readonly cluster: XdsResource | undefined;
  readonly endpoints: XdsResource | undefined;
  readonly reachable: Reachable | undefined;
  /** Its own routes, encoded. */
  readonly routes: readonly Uint8Array[];
  readonly problems: readonly Problem[];
}

const url = (type: string): TypeUrl => `type.googleapis.com/${type}`;

function hash(...parts: readonly (string | Uint8Array)[]): string {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest('hex').slice(0, 16);
}

function resource(type: string, name: string, json: object): XdsResource {
  const body = encode(type, json);
  return { name, version: hash(body), body };
}

/** `before` is kept when nothing in it changed. One text is hashed, not thousands of small ones: that is ten times faster. */
function setOf(resources: readonly XdsResource[], before?: TypeSet): TypeSet {
  if (before?.resources.size === resources.length && resources.every((one) => before.resources.get(one.name) === one))
    return before;
  const version = hash(resources.map(({ name, version: own }) => `${name}\0${own}\0`).join(''));
  return { version, resources: new Map(resources.map((one) => [one.name, one])) };
}

function whyNot(error: unknown): string {
  return error instanceof EncodeError ? `does not fit Envoy: ${error.message}` : messageOf(error);
}

export function createTranslator(options: TranslateOptions): Translator {
  const listeners = setOf([resource(TYPES.listener, LISTENER_NAME, listener(options))]);
  let kept = new Map<FleetService, Translated>();
  let clusterSet = setOf([]);
  let endpointSet = setOf([]);
  /** Clusters that did not change keep their bytes though an endpoint did. */
  let clusters = new Map<string, { gateway: FleetService['gateway']; text: string; cluster: XdsResource }>();
  let routes: { key: readonly unknown[]; resource: XdsResource; problems: readonly Problem[] } | undefined;

  function clusterOf(service: FleetService, fragment: Record<string, unknown>): XdsResource {
    const text = JSON.stringify(fragment);
    const old = clusters.get(service.name);
    if (old?.gateway === service.gateway && old.text === text) return old.cluster;
    return resource(TYPES.cluster, service.name, cluster(service, fragment));
  }

  /** What a service was last translated to: it goes on being served if its newest form can't be. */
  let lastGood = new Map<string, Translated>();

  function translateService(service: FleetService): Translated {
    const { type, options: policyOptions } = service.gateway.policy;
    try {
      const policy = options.policies.get(type);
      if (policy === undefined) throw new Error(`there is no routing policy ${type}`);
      const fragment = policy.apply(policy.options.parse(policyOptions), service.instances);
      const built = clusterOf(service, fragment.cluster);
      const assignment = endpoints(service, fragment.weights);
      const reachable: Reachable = { service, fragment: fragment.route ?? {} };
      const translated: Translated = {
        cluster: built,
        endpoints: resource(TYPES.endpoint, service.name, assignment.resource),
        reachable,
        routes: standardBytes(reachable),
        problems: assignment.problems,
      };
      clusters.set(service.name, { gateway: service.gateway, text: JSON.stringify(fragment.cluster), cluster: built });
      lastGood.set(service.name, translated);
      return translated;
    } catch (error) {
      const problem: Problem = { kind: 'Service', name: service.name, message: whyNot(error) };
      const last = lastGood.get(service.name);
      return last === undefined
        ? { cluster: undefined, endpoints: undefined, reachable: undefined, routes: [], problems: [problem] }
        : { ...last, problems: [problem] };
    }
  }

  const encodeAll = (all: readonly object[]): Uint8Array[] => all.map((one) => encode(TYPES.oneRoute, one));
  const lastRoute = encodeAll([NO_AGENT_ROUTE]);
  /** All routes stand in one resource, but a service's own are encoded only when its settings change. */
  let standard = new Map<string, { gateway: FleetService['gateway']; text: string; bytes: Uint8Array[] }>();

  function standardBytes(target: Reachable): Uint8Array[] {
    const { name, gateway } = target.service;
    const text = JSON.stringify(target.fragment);
    const old = standard.get(name);
    if (old?.gateway === gateway && old.text === text) return old.bytes;
    const bytes = encodeAll(standardRoutes(target));
    standard.set(name, { gateway, text, bytes });
    return bytes;
  }

  /** An operator's route that does not fit Envoy is left out: all routes are one resource, and one bad one would block the others. */
  function customBytes(
    fleetRoutes: readonly FleetRoute[],
    reachable: readonly Reachable[],
  ): { bytes: Uint8Array[]; problems: Problem[] } {
    const custom = customRoutes(fleetRoutes, new Map(reachable.map((one) => [one.service.name, one])));
    const problems = [...custom.problems];
    const bytes = custom.routes.flatMap(({ name, routes: own }) => {
      try {
        return encodeAll(own);
      } catch (error) {
        problems.push({ kind: 'Route', name, message: whyNot(error) });
        return [];
      }
    });
    return { bytes, problems };
  }

  function translateRoutes(
    fleetRoutes: readonly FleetRoute[],
    services: readonly Translated[],
  ): { resource: XdsResource; problems: readonly Problem[] } {
    const reachable = services.map((one) => one.reachable).filter((one) => one !== undefined);
    const key = [...fleetRoutes, 0, ...services.map((one) => one.routes)];
    if (routes?.key.length === key.length && routes.key.every((part, index) => part === key[index])) return routes;
    const custom = customBytes(fleetRoutes, reachable);
    const host = encodeWith(TYPES.virtualHost, VIRTUAL_HOST, 'routes', [
      ...custom.bytes,
      ...services.flatMap((one) => one.routes),
      ...lastRoute,
    ]);
    const body = encodeWith(TYPES.route, ROUTE_CONFIGURATION, 'virtual_hosts', [host]);
    routes = { key, resource: { name: ROUTES_NAME, version: hash(body), body }, problems: custom.problems };
    return routes;
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
      const next = new Map<FleetService, Translated>();
      for (const service of fleet.services) next.set(service, kept.get(service) ?? translateService(service));
      kept = next;
      const names = new Set(fleet.services.map((service) => service.name));
      clusters = new Map([...clusters].filter(([name]) => names.has(name)));
      standard = new Map([...standard].filter(([name]) => names.has(name)));
      lastGood = new Map([...lastGood].filter(([name]) => names.has(name)));
      const all = [...next.values()];
      const present = <T>(pick: (one: Translated) => T | undefined): T[] =>
        all.map(pick).filter((one) => one !== undefined);
      const routing = translateRoutes(fleet.routes, all);
      clusterSet = setOf(
        present((one) => one.cluster),
        clusterSet,
      );
      endpointSet = setOf(
        present((one) => one.endpoints),
        endpointSet,
      );
      const types = new Map<TypeUrl, TypeSet>([
        [url(TYPES.cluster), clusterSet],
        [url(TYPES.endpoint), endpointSet],
        [url(TYPES.extension), extensionSet(fleet)],
        [url(TYPES.listener), listeners],
        [url(TYPES.route), setOf([routing.resource])],
      ]);
      return {
        snapshot: { revision: fleet.revision, types },
        problems: [...all.flatMap((one) => one.problems), ...routing.problems],
      };
    },
  };
}
