/**
 * All routes as one resource. A route is encoded anew only when it or what it leads to changed; one that does not fit Envoy is left out,
 * since a single bad one would block all others.
 */
import { encode, partOf } from '@switchboard/proto';
import { ENTRY } from '../model/entry.ts';
import type { FleetRoute, FleetService } from '../model/fleet.ts';
import { misleadingPaths } from '../model/path-spelling.ts';
import { inOrder } from '../model/route-order.ts';
import { sameParts } from '../model/same-parts.ts';
import type { XdsResource } from '../xds/snapshot.ts';
import { createEntry } from './entry.ts';
import { ROUTES_NAME } from './listener.ts';
import type { Problem } from './options.ts';
import type { EntryScopes } from './pools.ts';
import { hash, whyNot } from './resource.ts';
import type { Reachable } from './route-action.ts';
import { createRouteTree, literal, type TableEntry } from './route-tree.ts';
import { NO_AGENT_ROUTE, ROUTE_CONFIGURATION, customRoute, misleadingRoute, reach, standardRoutes } from './route.ts';

const ROUTE = 'envoy.config.route.v3.Route';
const CONFIGURATION = 'envoy.config.route.v3.RouteConfiguration';

export interface RouteTable {
  readonly resource: XdsResource;
  readonly problems: readonly Problem[];
}

interface Entry extends TableEntry {
  /** What it was made from, by identity. */
  readonly from: readonly unknown[];
}

const encodeAll = (all: readonly object[]): Uint8Array[] => all.map((one) => encode(ROUTE, one));

/** What clients can be led to. */
export interface Reach {
  readonly services: readonly Reachable[];
  readonly pools: readonly Reachable[];
}

export function createRouteTable(
  trustedProxies: readonly string[],
): (routes: readonly FleetRoute[], reach: Reach, fleet: readonly FleetService[], scopes: EntryScopes) => RouteTable {
  const atEntry = createEntry();
  /** Of routes and of the old way in, by name. */
  let entries = new Map<string, Entry>();
  const standard = new WeakMap<Reachable, TableEntry>();
  const tree = createRouteTree();
  let last:
    | { readonly from: readonly (readonly unknown[])[]; readonly scopes: EntryScopes; readonly table: RouteTable }
    | undefined;
  const none: TableEntry = { at: undefined, bytes: encodeAll([NO_AGENT_ROUTE]) };

  function entry(name: string, at: string | undefined, from: readonly unknown[], make: () => object[]): Entry {
    const old = entries.get(name);
    return old !== undefined && sameParts(old.from, from) ? old : { at, from, bytes: encodeAll(make()) };
  }

  function standardEntry(service: Reachable): TableEntry {
    let found = standard.get(service);
    if (found === undefined) {
      found = { at: `/agents/${service.name}`, bytes: encodeAll(standardRoutes(service)) };
      standard.set(service, found);
    }
    return found;
  }

  function build(
    routes: readonly FleetRoute[],
    { services, pools }: Reach,
    fleet: readonly FleetService[],
    scopes: EntryScopes,
  ): RouteTable {
    const problems: Problem[] = [];
    const reachable = new Map<string, Reachable>();
    for (const one of services) reachable.set(one.name, one);
    for (const one of pools) reachable.set(one.name, one);
    const next = new Map<string, Entry>();
    const all: TableEntry[] = [];
    const add = (name: string, made: Entry): void => {
      next.set(name, made);
      all.push(made);
    };
    for (const route of inOrder(routes)) {
      const found = reach(route.spec, reachable);
      if (typeof found === 'string') {
        problems.push({ kind: 'Route', name: route.name, message: found });
        continue;
      }
      try {
        const name = `route/${route.name}`;
        const from = [route.spec, ...found.parts.map(({ to }) => to)];
        add(
          name,
          entry(name, literal(route.spec.match.path), from, () => customRoute(route, found.parts, trustedProxies)),
        );
      } catch (error) {
        problems.push({ kind: 'Route', name: route.name, message: whyNot(error) });
      }
    }
    for (const service of services) all.push(standardEntry(service));
    for (const { name, from, make } of atEntry(fleet, reachable, scopes)) add(name, entry(name, ENTRY, from, make));
    all.push(none);
    entries = next;
    const host = partOf(
      CONFIGURATION,
      'virtual_hosts',
      tree(
        all,
        misleadingPaths(routes).map((regex) => ({ regex, route: encode(ROUTE, misleadingRoute(regex)) })),
      ),
    );
    const body = Buffer.concat([encode(CONFIGURATION, ROUTE_CONFIGURATION), ...host]);
    return { resource: { name: ROUTES_NAME, version: hash(body), body }, problems };
  }

  return (routes, to, fleet, scopes) => {
    const from = [routes, to.services, to.pools] as const;
    const isSame = last?.scopes === scopes && last.from.every((one, n) => sameParts(one, from[n] ?? []));
    if (last === undefined || !isSame) last = { from, scopes, table: build(routes, to, fleet, scopes) };
    return last.table;
  };
}
