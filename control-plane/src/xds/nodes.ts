/** The connected Envoys, each with its streams: one aggregated stream, several of single types, or two while one Envoy replaces another. */
import type { Connection } from './connection.ts';
import { setOf, type Snapshot, type TypeUrl } from './snapshot.ts';
import type { GatewaySync, StreamState, TypeConfig, TypeSync } from './status.ts';
import type { RefusedResource } from './events.ts';
import type { Stream } from './stream.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE, inOrder, shortName } from './types.ts';
import type { WireNode } from './wire.ts';

/** A connection whose node is known. */
export interface Session {
  readonly connection: Connection;
  readonly stream: Stream;
  readonly node: WireNode;
  readonly variant: 'sotw' | 'delta';
  readonly connectedAt: string;
  /** Monotonic. */
  readonly openedAt: number;
  readonly group: string;
  readonly peer: string;
}

export interface Progress {
  readonly node: string;
  readonly settledRevision: number;
  readonly refusals: readonly RefusedResource[];
}

/** At the start Envoy asks for one type after another: before the last of them it runs nothing in full. */
function hasAskedForAll(asked: ReadonlySet<TypeUrl>, snapshot: Snapshot | undefined): boolean {
  const holds = (type: TypeUrl): boolean => setOf(snapshot, type).resources.size > 0;
  const needed = [
    ...(holds(CLUSTER) ? [CLUSTER] : []),
    ...(holds(CLUSTER) && holds(ENDPOINT) ? [ENDPOINT] : []),
    ...(holds(LISTENER) ? [LISTENER] : []),
    ...(holds(LISTENER) && holds(ROUTE) ? [ROUTE] : []),
  ];
  return asked.size > 0 && needed.every((type) => asked.has(type));
}

export interface Nodes {
  add(session: Session): void;
  remove(session: Session): void;
  ids(): Iterable<string>;
  sessions(node?: string): readonly Session[];
  progress(node: string): Progress;
  /** Every node has acknowledged the version that `wanted` gives for its group. */
  runs(type: TypeUrl, name: string, wanted: (group: string) => string | undefined): boolean;
  gateway(node: string): GatewaySync | undefined;
  config(node: string): TypeConfig[];
  streams(): StreamState[];
}

export function createNodes(pushed: (group: string) => Snapshot | undefined): Nodes {
  const byNode = new Map<string, Set<Session>>();

  /** Of several streams that ask for a type, the newest tells of it. */
  function byType(node: string): Map<TypeUrl, Session> {
    const newest = new Map<TypeUrl, Session>();
    for (const session of byNode.get(node) ?? []) for (const type of session.stream.asked()) newest.set(type, session);
    return newest;
  }

  function progress(node: string): Progress {
    const newest = byType(node);
    const sessions = [...new Set(newest.values())];
    const snapshot = pushed(sessions[0]?.group ?? '');
    const isComplete = hasAskedForAll(new Set(newest.keys()), snapshot);
    return {
      node,
      settledRevision: isComplete ? Math.min(...sessions.map(({ stream }) => stream.settledRevision())) : 0,
      refusals: sessions.flatMap(({ stream }) => stream.refusals()),
    };
  }

  return {
    add(session) {
      const sessions = byNode.get(session.node.id) ?? new Set();
      byNode.set(session.node.id, sessions.add(session));
    },
    remove(session) {
      const sessions = byNode.get(session.node.id);
      sessions?.delete(session);
      if (sessions?.size === 0) byNode.delete(session.node.id);
    },
    ids: () => byNode.keys(),
    sessions: (node) =>
      node === undefined ? [...byNode.values()].flatMap((all) => [...all]) : [...(byNode.get(node) ?? [])],
    progress,
    runs(type, name, wanted) {
      const newest = [...byNode.keys()].map((node) => byType(node).get(type));
      return newest.length > 0 && newest.every((one) => one?.stream.runs(type, name) === wanted(one?.group ?? ''));
    },
    gateway(id) {
      const newest = [...(byNode.get(id) ?? [])].at(-1);
      if (newest === undefined) return undefined;
      const types: Record<string, TypeSync> = {};
      const ofType = byType(id);
      for (const type of inOrder(ofType.keys())) {
        const sync = ofType.get(type)?.stream.types()[shortName(type)];
        if (sync !== undefined) types[shortName(type)] = sync;
      }
      const { node, connectedAt, variant } = newest;
      return {
        node: id,
        cluster: node.cluster,
        zone: node.zone,
        envoyVersion: node.version,
        connectedAt,
        variant,
        ackedRevision: progress(id).settledRevision,
        types,
        behind: [...new Set(ofType.values())].flatMap(({ stream }) => stream.behind()),
      };
    },
    config(id) {
      const ofType = byType(id);
      return inOrder(ofType.keys()).map((type) => ({
        type,
        short: shortName(type),
        resources: ofType.get(type)?.stream.resources(type) ?? [],
      }));
    },
    streams: () =>
      [...byNode.values()].flatMap((sessions) =>
        [...sessions].map(({ node, group, peer, variant, connectedAt, stream }) => ({
          node: node.id,
          group,
          peer,
          variant,
          connectedAt,
          settledRevision: stream.settledRevision(),
          subscriptions: stream.subscriptions(),
        })),
      ),
  };
}
