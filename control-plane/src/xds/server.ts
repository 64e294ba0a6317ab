/**
 * The gRPC side, kept thin: grpc-js calls become the connections of connection.ts. Knows which group of Envoys gets which snapshot, and
 * tells who has come, what was refused and what can be measured.
 */
import { randomBytes } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import { Server, ServerCredentials, status, type ServiceDefinition, type UntypedHandleCall } from '@grpc/grpc-js';
import { hostPort } from '../model/address.ts';
import { ALL_IPV4, ALL_IPV6 } from '../model/listen-host.ts';
import type { Log } from '../log.ts';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import { createAcks, type TimelineEntry } from './acks.ts';
import { createChecker, type Checker, type SnapshotProblem } from './check.ts';
import { createBudget } from './budget.ts';
import { openConnection, type Connection, type Failure } from './connection.ts';
import { delta } from './delta.ts';
import { createGroup, type Group } from './group.ts';
import { LIMITS, type XdsLimits } from './limits.ts';
import type { Measure } from './measure.ts';
import { createNodes, type Session } from './nodes.ts';
import type { PacerOptions, Timer } from './pacer.ts';
import { cut, discoveryServices, type DiscoveryCall } from './services.ts';
import { endpointsOf } from './references.ts';
import { setOf, type Difference, type Snapshot, type TypeUrl } from './snapshot.ts';
import { sotw } from './sotw.ts';
import type { AckReport, GatewaySync, StreamState, TypeConfig } from './status.ts';
import type { Notice, Output } from './events.ts';
import { createStream, type Stream } from './stream.ts';
import { shortName } from './types.ts';
import { deltaWire, sotwWire, type WireNode } from './wire.ts';

export type XdsEvent =
  | { readonly kind: 'connected'; readonly node: string }
  | { readonly kind: 'disconnected'; readonly node: string }
  | { readonly kind: 'progress'; readonly node: string }
  | {
      readonly kind: 'nack';
      readonly node: string;
      readonly type: string;
      readonly message: string;
      readonly names: readonly string[];
    };

/** The other end of a call. */
export interface Peer {
  /** Such as `127.0.0.1:40112`. */
  readonly address: string;
  /** Its certificate, where the credentials ask for one. */
  readonly certificate: PeerCertificate | undefined;
}

export interface XdsServer {
  readonly port: number;
  /** What all Envoys of a group are to have from now on; the group '' is that of everyone, unless `groupOf` says otherwise. */
  publish(snapshot: Snapshot, group?: string): void;
  /** What of the last published snapshots does not hold together. */
  problems(): readonly SnapshotProblem[];
  /** One entry for each connected node. */
  gateways(): GatewaySync[];
  /** What a connected node is to have, was sent and has answered, by type and resource; undefined: it is not connected. */
  config(node: string): TypeConfig[] | undefined;
  /** Each open stream with its subscriptions. */
  streams(): StreamState[];
  report(revision: number): AckReport;
  /** Every connected node has acknowledged the newest published form of the resource; false while none is connected. */
  runs(type: TypeUrl, name: string): boolean;
  whenAcked(revision: number, timeoutMs: number, signal: AbortSignal): Promise<AckReport>;
  timeline(revision: number): TimelineEntry[];
  subscribe(listener: (event: XdsEvent) => void): () => void;
  /** Ends the streams of a node, which it will open again: with other credentials, or a new group. Returns how many. */
  disconnect(node: string): number;
  close(): Promise<void>;
}

export interface XdsServerOptions {
  readonly host: string;
  readonly port: number;
  /** More addresses, of Envoys that were started when it listened there. One that is listened on already is passed over. */
  readonly alsoOn?: readonly { readonly host: string; readonly port: number }[];
  readonly log: Log;
  /** Milliseconds of the calendar. */
  readonly now: () => number;
  /** Default: no TLS. */
  readonly credentials?: ServerCredentials;
  /** Asked at the first request of each stream: why this node is refused; undefined: it may come in. */
  readonly admit?: (node: WireNode, peer: Peer) => string | undefined;
  /** The group whose snapshots a node gets, such as its zone. Default: '' for all. */
  readonly groupOf?: (node: WireNode) => string;
  /** Counters and timers. */
  readonly measure?: (measure: Measure) => void;
  /** Milliseconds; see PacerOptions. Default: 20 quiet, 500 at most, endpoints every 5. */
  readonly pace?: Partial<Pick<PacerOptions, 'quietMs' | 'longestMs' | 'batchMs'>>;
  readonly limits?: Partial<XdsLimits>;
  /** How often a silent connection is asked for a sign of life, and how long that may take. Default: 30 s, 10 s. */
  readonly keepalive?: { readonly timeMs: number; readonly timeoutMs: number };
  /** How long types wait for each other's ACKs, in milliseconds. */
  readonly waitLimitMs?: number;
  /** Throw at a snapshot that does not hold together. Default: it is told, and pushed, since one bad reference must not keep all else back. */
  readonly refuseInconsistent?: boolean;
  /** Other services on the same port, such as the access log's. */
  readonly services?: readonly {
    readonly definition: ServiceDefinition;
    readonly handlers: Record<string, UntypedHandleCall>;
  }[];
}

const unrefTimer: Timer = (ms, run) => {
  // Node fires a timer above 2^31 ms at once.
  const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1));
  timer.unref();
  return () => {
    clearTimeout(timer);
  };
};

export async function startXdsServer(options: XdsServerOptions): Promise<XdsServer> {
  const { log, now, admit, groupOf = () => '', measure = () => undefined, waitLimitMs = 10_000 } = options;
  const limits: XdsLimits = { ...LIMITS, ...options.limits };
  const clock = (): number => performance.now();
  const pace = { quietMs: 20, longestMs: 500, batchMs: 5, clock, timer: unrefTimer, ...options.pace };
  const budget = createBudget({ bytes: limits.bytesInFlight, slowMs: limits.slowMs, clock, timer: unrefTimer });
  const groups = new Map<string, Group>();
  const checkers = new Map<string, Checker>();
  const problems = new Map<string, readonly SnapshotProblem[]>();
  const connections = new Set<Connection>();
  const sessions = new Map<Connection, Session>();
  const listeners = new Set<(event: XdsEvent) => void>();
  /** Why, by node. */
  const turnedAway = new Map<string, string>();
  const nodes = createNodes((group) => groups.get(group)?.pushed());
  const acks = createAcks({ nodes: () => nodes.ids(), progress: (node) => nodes.progress(node), now });

  /** A listener that fails must not end the stream that it is told of. */
  function guarded(what: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      log.error({ error }, `${what} failed`);
    }
  }
  const observe = (one: Measure): void => {
    guarded('measuring', () => {
      measure(one);
    });
  };
  function tell(event: XdsEvent): void {
    for (const listener of [...listeners])
      guarded('a listener', () => {
        listener(event);
      });
  }

  function groupNamed(name: string): Group {
    let group = groups.get(name);
    if (group === undefined) {
      group = createGroup(pace, (snapshot, difference, cause, waitedMs) => {
        const start = clock();
        const members = [...sessions.values()].filter((session) => session.group === name);
        for (const { connection, stream } of members) connection.handle(stream.snapshot(snapshot, difference));
        observe({ kind: 'push', cause, streams: members.length, waitedMs, ms: clock() - start });
      });
      groups.set(name, group);
    }
    return group;
  }

  /** Throws when the snapshot must not be pushed. */
  function check(group: string, snapshot: Snapshot, before: Snapshot | undefined, difference: Difference): void {
    const checker = checkers.get(group) ?? createChecker();
    checkers.set(group, checker);
    const found = checker.check(snapshot, before, difference);
    const breaking = found.filter(({ breaks }) => breaks);
    if (options.refuseInconsistent === true && breaking.length > 0)
      throw new SwitchboardError('invalid', 'the snapshot does not hold together', {
        issues: breaking.map(({ type, name, message }) => ({ path: `${shortName(type)}.${name}`, message })),
      });
    const told = new Set(problems.get(group)?.map(({ message }) => message));
    for (const problem of found)
      if (!told.has(problem.message)) log.warn({ group, problem }, 'a snapshot does not hold together');
    problems.set(group, found);
  }

  function note({ node, variant }: Session, notice: Notice): void {
    const type = shortName(notice.type);
    if (notice.kind === 'nack') {
      log.warn(
        { gateway: node.id, type: notice.type, names: notice.names, error: notice.message },
        'a gateway refuses a configuration',
      );
      tell({ kind: 'nack', node: node.id, type: notice.type, message: notice.message, names: notice.names });
    }
    if (notice.kind === 'late') {
      log.warn({ gateway: node.id, variant, type: notice.type, reason: notice.message }, 'a gateway stays behind');
      observe({ kind: 'late', node: node.id, type, message: notice.message });
    } else if (notice.kind === 'stale') observe({ kind: 'stale', node: node.id, type });
    else observe({ kind: notice.kind, node: node.id, type, ms: notice.ms, convergenceMs: notice.convergenceMs });
  }

  function after(connection: Connection, { sends, notices }: Output): void {
    const session = sessions.get(connection);
    if (session === undefined) return;
    const { node, variant } = session;
    for (const { type, resources, removed, queuedMs } of sends) {
      const bytes = resources.reduce((sum, { body }) => sum + body.length, 0);
      const counts = { resources: resources.length, removed: removed.length, bytes, queuedMs };
      observe({ kind: 'response', node: node.id, type: shortName(type), variant, ...counts });
    }
    for (const notice of notices) note(session, notice);
    if (sends.length > 0) acks.sent(node.id, groups.get(session.group)?.pushed()?.revision ?? 0);
    acks.progressed(node.id);
    tell({ kind: 'progress', node: node.id });
  }

  function refusal(node: WireNode, peer: Peer): Failure | undefined {
    const reason = admit?.(node, peer);
    if (reason !== undefined) {
      // It comes again every second.
      if (turnedAway.get(node.id) !== reason)
        log.warn({ gateway: node.id, peer: peer.address, reason }, 'a gateway is not let in');
      turnedAway.set(node.id, reason);
      return { code: 'PERMISSION_DENIED', details: reason };
    }
    turnedAway.delete(node.id);
    if (nodes.sessions(node.id).length >= limits.streamsPerNode)
      return { code: 'RESOURCE_EXHAUSTED', details: `${node.id} has ${limits.streamsPerNode} streams already` };
    return undefined;
  }

  function serve(call: DiscoveryCall, name: 'sotw' | 'delta', only: TypeUrl | undefined): void {
    const variant = name === 'sotw' ? sotw : delta;
    const peer: Peer = { address: call.getPeer(), certificate: call.getAuthContext().sslPeerCertificate };
    let session: Session | undefined;

    function open(node: WireNode): Stream | Failure {
      const refused = refusal(node, peer);
      if (refused !== undefined) return refused;
      const group = groupOf(node);
      const members = groupNamed(group);
      const noncePrefix = `${randomBytes(4).toString('hex')}-`;
      const stream = createStream({
        variant,
        noncePrefix,
        now,
        clock,
        waitLimitMs,
        endpointsOf,
        changedBy: members.changedBy,
        lately: members.lately,
        isAggregated: only === undefined,
      });
      const snapshot = members.pushed();
      if (snapshot !== undefined) stream.snapshot(snapshot);
      const connectedAt = new Date(now()).toISOString();
      const came = { connectedAt, openedAt: clock(), group, peer: peer.address };
      session = { connection, stream, node, variant: name, ...came };
      sessions.set(connection, session);
      nodes.add(session);
      log.info({ gateway: node.id, variant: name, peer: peer.address }, 'a gateway has come');
      observe({ kind: 'opened', node: node.id, variant: name });
      tell({ kind: 'connected', node: node.id });
      return stream;
    }

    function closed(_: Connection, failure: Failure | undefined): void {
      connections.delete(connection);
      const code = failure?.code ?? '';
      // Who is not let in was told of.
      if (failure !== undefined && failure.code !== 'PERMISSION_DENIED')
        log.warn({ peer: peer.address, ...failure }, 'a stream is ended');
      if (session === undefined) return;
      const { node, openedAt } = session;
      sessions.delete(connection);
      nodes.remove(session);
      log.info({ gateway: node.id }, 'a gateway has left');
      observe({ kind: 'closed', node: node.id, code, ms: clock() - openedAt });
      acks.left(node.id);
      tell({ kind: 'disconnected', node: node.id });
    }

    const connection = openConnection({
      link: {
        write: (message, read) => call.write(message, read),
        cut: () => {
          cut(call);
        },
        end(failure) {
          if (failure === undefined) call.end();
          else call.emit('error', { code: status[failure.code], details: failure.details });
        },
      },
      wire: name === 'sotw' ? sotwWire : deltaWire,
      only,
      limits,
      budget,
      clock,
      timer: unrefTimer,
      random: Math.random,
      open,
      after,
      closed,
    });
    connections.add(connection);
    if (connections.size > limits.streams) {
      connection.close({ code: 'RESOURCE_EXHAUSTED', details: `there are ${limits.streams} streams already` });
      return;
    }
    call.on('data', (message: object) => {
      connection.message(message);
    });
    call.on('drain', () => {
      connection.drained();
    });
    for (const event of ['end', 'cancelled', 'error', 'close'])
      call.on(event, () => {
        connection.close();
      });
  }

  const server = new Server({
    'grpc.max_receive_message_length': limits.messageBytes,
    'grpc.max_send_message_length': limits.messageBytes,
    'grpc.keepalive_time_ms': options.keepalive?.timeMs ?? 30_000,
    'grpc.keepalive_timeout_ms': options.keepalive?.timeoutMs ?? 10_000,
  });
  for (const { definition, handlers } of [...discoveryServices(serve), ...(options.services ?? [])])
    server.addService(definition, handlers);

  async function bind(at: { readonly host: string; readonly port: number }, remedy: string): Promise<number> {
    const address = hostPort(at.host, at.port);
    return new Promise((resolve, reject) => {
      server.bindAsync(address, options.credentials ?? ServerCredentials.createInsecure(), (cause, chosen) => {
        if (cause === null) resolve(chosen);
        else {
          const message = `cannot listen for Envoy on ${address}: ${messageOf(cause)}`;
          reject(new SwitchboardError('unavailable', message, { remedy, cause }));
        }
      });
    });
  }
  const bound = await bind(options, 'Stop what uses it, or choose another with SWITCHBOARD_XDS_PORT.');
  for (const other of options.alsoOn ?? [])
    if (other.port !== bound || ![other.host, ALL_IPV4, ALL_IPV6].includes(options.host))
      await bind(
        other,
        'A running Envoy looks for its control plane there. Stop what uses it, or end all with `switchboard down`.',
      );

  return {
    port: bound,
    publish(snapshot, group = '') {
      groupNamed(group).publish(snapshot, (before, difference) => {
        check(group, snapshot, before, difference);
      });
      const awaited = acks.awaited(snapshot.revision);
      if (awaited !== undefined) groupNamed(group).hurry(awaited);
    },
    problems: () => [...problems.values()].flat(),
    gateways: () => [...nodes.ids()].map((id) => nodes.gateway(id)).filter((one) => one !== undefined),
    config: (node) => (nodes.sessions(node).length === 0 ? undefined : nodes.config(node)),
    streams: () => nodes.streams(),
    report: (revision) => acks.report(revision),
    runs: (type, name) =>
      nodes.runs(type, name, (group) => setOf(groups.get(group)?.published(), type).resources.get(name)?.version),
    async whenAcked(revision, timeoutMs, signal) {
      for (const group of groups.values()) group.hurry(revision);
      return acks.whenAcked(revision, timeoutMs, signal);
    },
    timeline: (revision) => acks.timeline(revision),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    disconnect(node) {
      const ended = nodes.sessions(node);
      for (const { connection } of ended) connection.close();
      return ended.length;
    },
    async close() {
      listeners.clear();
      for (const connection of [...connections]) connection.close();
      for (const group of groups.values()) group.close();
      server.forceShutdown();
    },
  };
}
