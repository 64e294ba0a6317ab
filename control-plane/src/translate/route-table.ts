/**
 * All routes as one resource. A route is encoded anew only when it or what it leads to changed; one that does not fit Envoy is left out,
 * since a single bad one would block all others.
 */
import { encode, encodeWith } from '@switchboard/proto';
import { ENTRY } from '../model/entry.ts';
import type { FleetRoute, FleetService } from '../model/fleet.ts';
import { inOrder } from '../model/route-order.ts';
import type { XdsResource } from '../xds/snapshot.ts';
import { createEntry } from './entry.ts';
import { ROUTES_NAME } from './listener.ts';
import type { Problem } from './options.ts';
import type { EntryScopes } from './pools.ts';
import { hash, sameParts, whyNot } from './resource.ts';
import type { Reachable } from './route-action.ts';
import { virtualHost, type KeptPaths, type TableEntry } from './route-tree.ts';
import { NO_AGENT_ROUTE, ROUTE_CONFIGURATION, customRoute, reach, standardRoutes } from './route.ts';

const ROUTE = 'envoy.config.route.v3.Route';
const CONFIGURATION = 'envoy.config.route.v3.RouteConfiguration';

const AT_ENTRY = { exact: ENTRY, caseSensitive: true };

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

export function createRouteTable(): (
  routes: readonly FleetRoute[],
  reach: Reach,
  fleet: readonly FleetService[],
  scopes: EntryScopes,
) => RouteTable {
  const atEntry = createEntry();
  let entries = new Map<string, Entry>();
  const kept: KeptPaths = new Map();
  let last: { readonly from: readonly unknown[]; readonly table: RouteTable } | undefined;
  const none: TableEntry = { path: undefined, bytes: encodeAll([NO_AGENT_ROUTE]) };

  function entry(name: string, path: TableEntry['path'], from: readonly unknown[], make: () => object[]): Entry {
    const old = entries.get(name);
    return old !== undefined && sameParts(old.from, from) ? old : { path, from, bytes: encodeAll(make()) };
  }

  function build(
    routes: readonly FleetRoute[],
    { services, pools }: Reach,
    fleet: readonly FleetService[],
    scopes: EntryScopes,
  ): RouteTable {
    const problems: Problem[] = [];
    const reachable = new Map([...services, ...pools].map((one) => [one.name, one]));
    const next = new Map<string, Entry>();
    for (const route of inOrder(routes)) {
      const found = reach(route.spec, reachable);
      if (typeof found === 'string') {
        problems.push({ kind: 'Route', name: route.name, message: found });
        continue;
      }
      try {
        const name = `route/${route.name}`;
        const from = [route.spec, ...found.parts.map(({ to }) => to)];
        next.set(
          name,
          entry(name, route.spec.match.path, from, () => customRoute(route, found.parts)),
        );
      } catch (error) {
        problems.push({ kind: 'Route', name: route.name, message: whyNot(error) });
      }
    }
    for (const service of services) {
      const name = `service/${service.name}`;
      const path = { prefix: `/agents/${service.name}`, caseSensitive: true };
      next.set(
        name,
        entry(name, path, [service], () => standardRoutes(service)),
      );
    }
    for (const { name, from, make } of atEntry(fleet, reachable, scopes))
      next.set(name, entry(name, AT_ENTRY, from, make));
    entries = next;
    const host = virtualHost([...next.values(), none], undefined, kept);
    const body = encodeWith(CONFIGURATION, ROUTE_CONFIGURATION, 'virtual_hosts', [host]);
    return { resource: { name: ROUTES_NAME, version: hash(body), body }, problems };
  }

  return (routes, to, fleet, scopes) => {
    const from = [...routes, 0, ...to.services, 0, ...to.pools, scopes];
    if (last === undefined || !sameParts(last.from, from)) last = { from, table: build(routes, to, fleet, scopes) };
    return last.table;
  };
}
