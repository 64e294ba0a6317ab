/** A typed client of the API, for the CLI and for tests. A problem comes back as the SwitchboardError that it tells of. */
import { createParser } from 'eventsource-parser';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import { problemError } from './problem-error.ts';
import type { AuditReport, ChainLink, Event } from '../model/event.ts';
import type {
  CertificateStatus,
  DriftReport,
  GatewayCertificate,
  GatewayCertificateRequest,
  GatewayConfig,
  GatewayRestart,
} from '../model/gateway.ts';
import type { Registration } from '../model/instance.ts';
import type { Balance, RebalanceRequest } from '../model/balance.ts';
import type { DrainRequest, DrainTarget } from '../model/drain.ts';
import type { HealthDetail } from '../model/health.ts';
import type { HeldLoadReport, LoadReport, LoadSignals } from '../model/load.ts';
import type { RolloutVerb } from '../model/rollout.ts';
import type { RevisionTimeline, SystemStatus } from '../model/system.ts';
import type { SessionEnd } from '../model/session-end.ts';
import type { Version } from '../model/version.ts';
import { fillIn } from './fill-in.ts';
import { foldLive } from './live-fold.ts';
import * as older from './older.ts';
import type { ApplyFlags, EventQuery, ListEvent, ListFlags, SeriesQuery, SessionQuery, WriteFlags } from './queries.ts';
import type {
  AutoscaleView,
  Done,
  Drains,
  EndedSession,
  Explanation,
  Feed,
  GatewayDrains,
  GatewayView,
  Heard,
  HistoryAnswer,
  InstanceView,
  Items,
  LiveEvent,
  LiveState,
  LogLine,
  LogLines,
  MetricView,
  OwnLog,
  Page,
  PluginInfo,
  SignInCode,
  SignedIn,
  Readiness,
  Registered,
  Replay,
  RolloutView,
  RouteView,
  ServicePage,
  ServiceView,
  Session,
  SessionCount,
  SessionEnds,
  SessionPage,
  VersionDiff,
  WriteAnswer,
} from './types.ts';

type Query = Record<string, string | number | boolean | undefined>;

export interface ServerEvent {
  readonly event: string;
  readonly data: unknown;
  readonly id: string | undefined;
}

function writeQuery(flags: WriteFlags): Query {
  return {
    dryRun: flags.dryRun,
    wait: flags.wait === true ? 'acked' : undefined,
    timeout: flags.timeout,
    note: flags.note,
  };
}

function ifMatch(flags: WriteFlags): Record<string, string> {
  if (flags.expectRevision === undefined) return {};
  return flags.expectRevision === 0 ? { 'if-none-match': '*' } : { 'if-match': `"${flags.expectRevision}"` };
}

export type ApiClient = ReturnType<typeof createClient>;

export interface ClientOptions {
  readonly url: string;
  readonly token: string;
  /** Instead of the platform's, for tests that look at what is answered. */
  readonly fetch?: typeof fetch;
}

export function createClient({ url, token, fetch: ask = fetch }: ClientOptions) {
  const base = url.replace(/\/+$/, '');

  async function send(
    method: string,
    path: string,
    options: {
      query?: Query;
      body?: unknown;
      text?: string;
      headers?: Record<string, string>;
      signal?: AbortSignal;
    } = {},
  ): Promise<Response> {
    const target = new URL(base + path);
    for (const [name, value] of Object.entries(options.query ?? {}))
      if (value !== undefined) target.searchParams.set(name, String(value));
    const content: Record<string, string> =
      options.text !== undefined
        ? { 'content-type': 'application/yaml' }
        : options.body !== undefined
          ? { 'content-type': 'application/json' }
          : {};
    const body = options.text ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
    let response: Response;
    try {
      response = await ask(target, {
        method,
        headers: { authorization: `Bearer ${token}`, ...content, ...options.headers },
        ...(body === undefined ? {} : { body }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    } catch (cause) {
      if (options.signal?.aborted === true) throw cause;
      throw new SwitchboardError(
        'unavailable',
        `no control plane answers at ${base}: ${messageOf((cause as Error).cause ?? cause)}`,
        { remedy: 'Start it with `npm start` or `switchboard up`.', cause },
      );
    }
    // Not ready is an answer too.
    if (!response.ok && !(path === '/readyz' && response.status === 503))
      throw problemError(response.status, await response.text());
    return response;
  }

  const json = async <T>(method: string, path: string, options: Parameters<typeof send>[2] = {}): Promise<T> =>
    (await send(method, path, options)).json() as Promise<T>;
  /** `pattern`: what stands in for fields that an older control plane does not know. */
  const read = async <T>(path: string, pattern: object, query: Query = {}): Promise<T> =>
    fillIn(pattern, await json<T>('GET', path, { query }));
  /** Where fields are chosen the others are meant to be missing. */
  const list = async <T>(path: string, item: object, query: Query): Promise<T> =>
    read(path, query['fields'] === undefined ? { items: [item] } : {}, query);
  const answered = async (...call: Parameters<typeof json>): Promise<WriteAnswer> =>
    fillIn(older.WRITE, await json<WriteAnswer>(...call));
  const write = async (method: string, path: string, flags: WriteFlags, body?: unknown): Promise<WriteAnswer> =>
    answered('POST' === method && body === undefined ? 'POST' : method, path, {
      query: writeQuery(flags),
      headers: ifMatch(flags),
      ...(body === undefined ? {} : { body }),
    });
  const named = (kind: string, name: string): string => `/v1/${kind}/${encodeURIComponent(name)}`;

  function drainPath(target: DrainTarget): string {
    if (target.kind === 'instance') return named('instances', target.id);
    return `${named('services', target.name)}${target.kind === 'version' ? `/versions/${target.number}` : ''}`;
  }

  async function* stream(
    path: string,
    query: Query,
    signal: AbortSignal,
    headers: Record<string, string> = {},
  ): AsyncIterable<ServerEvent> {
    const response = await send('GET', path, { query, signal, headers: { accept: 'text/event-stream', ...headers } });
    const waiting: ServerEvent[] = [];
    const parser = createParser({
      onEvent: ({ event, data, id }) =>
        waiting.push({ event: event ?? 'message', data: JSON.parse(data) as unknown, id }),
    });
    const decoder = new TextDecoder();
    const reader = response.body?.getReader();
    if (reader === undefined) return;
    try {
      // Not every browser can iterate over a stream.
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        parser.feed(decoder.decode(part.value as Uint8Array, { stream: true }));
        yield* waiting.splice(0);
      }
    } catch (cause) {
      if (signal.aborted || cause instanceof SwitchboardError || !(cause instanceof TypeError)) throw cause;
      throw new SwitchboardError('unavailable', `the connection to ${base} was lost`, { cause });
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }

  return {
    url: base,
    livez: async () => json<Done>('GET', '/livez'),
    /** The control plane's clock, to the second. */
    clock: async () => Date.parse((await send('GET', '/livez')).headers.get('date') ?? ''),
    readyz: async () => json<Readiness>('GET', '/readyz'),
    signInCode: async () => json<SignInCode>('POST', '/v1/sign-in/codes', {}),
    signIn: async (code: string) => json<SignedIn>('POST', '/v1/sign-in', { body: { code } }),
    status: async () => read<SystemStatus>('/v1/status', older.STATUS),
    services: async (query: ListFlags & { label?: string } = {}) =>
      list<ServicePage>('/v1/services', older.SERVICE, { ...query }),
    service: async (name: string) => read<ServiceView>(named('services', name), older.SERVICE),
    putService: async (name: string, document: object, flags: WriteFlags = {}) =>
      write('PUT', named('services', name), flags, document),
    patchService: async (name: string, patch: object, flags: WriteFlags = {}) =>
      write('PATCH', named('services', name), flags, patch),
    deleteService: async (name: string, flags: WriteFlags & { now?: boolean } = {}) =>
      answered('DELETE', named('services', name), {
        query: { ...writeQuery(flags), now: flags.now },
        headers: ifMatch(flags),
      }),
    start: async (name: string, flags: WriteFlags = {}) => write('POST', `${named('services', name)}/start`, flags, {}),
    stop: async (name: string, flags: WriteFlags & { now?: boolean } = {}) =>
      write('POST', `${named('services', name)}/stop`, flags, { now: flags.now === true }),
    restart: async (name: string, flags: WriteFlags & { now?: boolean } = {}) =>
      write('POST', `${named('services', name)}/restart`, flags, { now: flags.now === true }),
    scale: async (name: string, replicas: number, flags: WriteFlags = {}) =>
      write('POST', `${named('services', name)}/scale`, flags, { replicas }),
    autoscale: async (service: string) =>
      read<AutoscaleView>(`${named('services', service)}/autoscale`, older.AUTOSCALE),
    replayScale: async (service: string, body: object) =>
      json<Replay>('POST', `${named('services', service)}/autoscale/replay`, { body }),
    rollouts: async () => list<Page<RolloutView>>('/v1/rollouts', older.ROLLOUT, {}),
    rollout: async (service: string) => read<RolloutView>(`${named('services', service)}/rollout`, older.ROLLOUT),
    steerRollout: async (service: string, verb: RolloutVerb, flags: WriteFlags = {}) =>
      write('POST', `${named('services', service)}/rollout/${verb}`, flags, {}),
    undo: async (service: string, version: number | undefined, flags: WriteFlags = {}) =>
      write('POST', `${named('services', service)}/undo`, flags, version === undefined ? {} : { version }),
    diffVersions: async (service: string, from: number, to: number) =>
      json<VersionDiff>('GET', `${named('services', service)}/versions/${from}/diff/${to}`),
    pinVersion: async (service: string, version: number, pinned: boolean) =>
      write('POST', `${named('services', service)}/versions/${version}/pin`, {}, { pinned }),
    versions: async (name: string) => json<Items<Version>>('GET', `${named('services', name)}/versions`),
    instances: async (query: ListFlags & { service?: string } = {}) =>
      list<Page<InstanceView>>('/v1/instances', older.INSTANCE, { ...query }),
    /** A list of resources as it is and as it changes: `item`, `gone`, and `synced` when all that is there was told. */
    watch: (list: 'services' | 'instances' | 'routes' | 'gateways', query: ListFlags, signal: AbortSignal) =>
      stream(`/v1/${list}`, { ...query }, signal) as AsyncIterable<ListEvent>,
    instance: async (id: string) => read<InstanceView>(named('instances', id), older.INSTANCE),
    stopInstance: async (id: string, flags: WriteFlags & { now?: boolean } = {}) =>
      write('POST', `${named('instances', id)}/stop`, flags, { now: flags.now === true }),
    register: async (registration: Partial<Registration> & Pick<Registration, 'service' | 'address'>) =>
      json<Registered>('POST', '/v1/instances', {
        body: registration,
      }),
    heartbeat: async (id: string, lease: number, load?: Partial<LoadReport>) =>
      json<Heard>('POST', `${named('instances', id)}/heartbeat`, {
        body: { token: lease, ...(load === undefined ? {} : { load }) },
      }),
    health: async (id: string) => read<HealthDetail>(`${named('instances', id)}/health`, older.HEALTH),
    check: async (id: string) =>
      fillIn(older.HEALTH, await json<HealthDetail>('POST', `${named('instances', id)}/check`)),
    explain: async (request: { path: string; host?: string; header?: readonly string[]; clientIp?: string }) => {
      const { header = [], ...rest } = request;
      const query = new URLSearchParams(rest);
      for (const line of header) query.append('header', line);
      return read<Explanation>(`/v1/explain?${query.toString()}`, older.EXPLANATION);
    },
    load: async (id: string) => json<LoadSignals>('GET', `${named('instances', id)}/load`),
    reportLoad: async (id: string, report: object) =>
      json<HeldLoadReport>('POST', `${named('instances', id)}/load`, { body: report }),
    deregister: async (id: string, lease: number, { now = false, note }: { now?: boolean; note?: string } = {}) =>
      answered('DELETE', named('instances', id), {
        query: { now, note },
        headers: { 'x-lease-token': String(lease) },
      }),
    logs: async (id: string, tail = 100) =>
      json<LogLines>('GET', `${named('instances', id)}/logs`, { query: { tail } }),
    /** Error: `unsupported` (it was not started here, and has no log here). */
    async *followLogs(id: string, tail: number, signal: AbortSignal): AsyncIterable<LogLine> {
      for await (const { event, data } of stream(`${named('instances', id)}/logs`, { tail }, signal)) {
        if (event === 'problem') throw problemError((data as { status: number }).status, JSON.stringify(data));
        yield data as LogLine;
      }
    },
    routes: async (query: ListFlags = {}) => list<Page<RouteView>>('/v1/routes', older.ROUTE, { ...query }),
    route: async (name: string) => read<RouteView>(named('routes', name), older.ROUTE),
    putRoute: async (name: string, document: object, flags: WriteFlags = {}) =>
      write('PUT', named('routes', name), flags, document),
    deleteRoute: async (name: string, flags: WriteFlags = {}) =>
      answered('DELETE', named('routes', name), { query: writeQuery(flags), headers: ifMatch(flags) }),
    apply: async (documents: readonly unknown[], flags: WriteFlags & ApplyFlags = {}) =>
      answered('POST', '/v1/apply', {
        query: { ...writeQuery(flags), set: flags.set, prune: flags.prune, takeOver: flags.takeOver },
        headers: ifMatch(flags),
        body: { documents },
      }),
    applyText: async (text: string, flags: WriteFlags = {}) =>
      answered('POST', '/v1/apply', { query: writeQuery(flags), text }),
    gateways: async () => list<Page<GatewayView>>('/v1/gateways', older.GATEWAY, {}),
    gatewayConfig: async (node: string, type: string, name?: string) =>
      read<GatewayConfig>(`${named('gateways', node)}/config/${encodeURIComponent(type)}`, older.CONFIG, { name }),
    compareGateway: async (node: string) => json<DriftReport>('POST', `${named('gateways', node)}/compare`),
    restartGateway: async (node: string, deadline?: string, flags: WriteFlags = {}) =>
      json<GatewayRestart>('POST', `${named('gateways', node)}/restart`, {
        query: writeQuery(flags),
        body: deadline === undefined ? {} : { deadline },
      }),
    plugins: async () => json<Items<PluginInfo>>('GET', '/v1/plugins'),
    certificates: async () => json<Items<CertificateStatus>>('GET', '/v1/certificates'),
    rotateCertificates: async (gateway?: string) =>
      json<Items<CertificateStatus>>('POST', '/v1/certificates/rotate', {
        body: gateway === undefined ? {} : { gateway },
      }),
    certifyGateway: async (request: GatewayCertificateRequest) =>
      json<GatewayCertificate>('POST', '/v1/certificates', { body: request }),
    revokeCertificate: async (gateway: string) =>
      json<Items<CertificateStatus>>('DELETE', named('certificates', gateway)),
    sessions: async (query: SessionQuery = {}) =>
      read<SessionPage<Session>>('/v1/sessions', older.SESSIONS, { ...query }),
    endedSessions: async (query: SessionQuery = {}) =>
      read<SessionPage<EndedSession>>('/v1/sessions', older.ENDED_SESSIONS, { ...query, state: 'ended' }),
    countSessions: async (by: string, query: SessionQuery = {}) =>
      read<SessionCount>('/v1/sessions/count', older.COUNT, { ...query, by }),
    session: async (id: string) => json<Session | EndedSession>('GET', named('sessions', id)),
    watchSessions: (query: SessionQuery, signal: AbortSignal) =>
      stream('/v1/sessions', { ...query }, signal) as AsyncIterable<{
        event: 'opened' | 'ended';
        data: Session | EndedSession;
      }>,
    balance: async (service: string) => read<Balance>(`${named('services', service)}/balance`, older.BALANCE),
    rebalance: async (service: string, request: Partial<RebalanceRequest>) =>
      json<Balance>('POST', `${named('services', service)}/rebalance`, { body: request }),
    drains: async () => read<Drains>('/v1/drains', older.DRAINS),
    drainGateway: async (node: string, reason?: string, flags: WriteFlags = {}) =>
      json<GatewayDrains>('POST', `${named('gateways', node)}/drain`, {
        query: writeQuery(flags),
        body: reason === undefined ? {} : { reason },
      }),
    undrainGateway: async (node: string, flags: WriteFlags = {}) =>
      json<GatewayDrains>('POST', `${named('gateways', node)}/undrain`, {
        query: writeQuery(flags),
        body: {},
      }),
    drain: async (target: DrainTarget, request: Partial<DrainRequest> = {}, flags: WriteFlags = {}) =>
      write('POST', `${drainPath(target)}/drain`, flags, request),
    undrain: async (target: DrainTarget, flags: WriteFlags = {}) =>
      write('POST', `${drainPath(target)}/undrain`, flags, {}),
    endSession: async (id: string, reason = '') =>
      json<SessionEnd>('POST', `${named('sessions', id)}/end`, { body: { reason } }),
    endSessions: async (filter: SessionQuery, options: { reason?: string; dryRun?: boolean; all?: boolean } = {}) =>
      json<SessionEnds>('POST', '/v1/sessions/end', { body: { filter, ...options } }),
    revision: async (revision: number) => json<RevisionTimeline>('GET', `/v1/revisions/${revision}`),
    events: async (query: EventQuery & { after?: string; cursor?: string } = {}) =>
      json<Feed<Event>>('GET', '/v1/events', { query: { ...query } }),
    followEvents: (query: EventQuery, signal: AbortSignal, lastEventId?: string) =>
      stream(
        '/v1/events',
        { ...query },
        signal,
        lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
      ) as AsyncIterable<{ event: 'event' | 'problem'; data: Event; id: string }>,
    eventsHead: async () => json<ChainLink>('GET', '/v1/events/head'),
    /** `head`: NUMBER:HASH of an earlier answer. */
    verifyEvents: async (head?: string) => json<AuditReport>('GET', '/v1/events/verify', { query: { head } }),
    /** NDJSON, newest first. */
    exportEvents: async (query: Omit<EventQuery, 'limit'> = {}) =>
      send('GET', '/v1/events/export', { query: { ...query } }),
    live: (signal: AbortSignal) => stream('/v1/live', {}, signal) as AsyncIterable<{ event: 'state'; data: LiveState }>,
    /** The same states, of which only what changed is sent; what did not change is the same object as before. */
    async *liveStates(signal: AbortSignal): AsyncIterable<LiveState> {
      let state: LiveState | undefined;
      for await (const event of stream('/v1/live', { changes: true }, signal)) {
        if (event.event !== 'state' && event.event !== 'changes') continue;
        fillIn(older.LIVE_LISTS, event.data);
        state = fillIn({ status: older.STATUS }, foldLive(state, event as LiveEvent));
        yield state;
      }
    },
    metrics: async () => json<Items<MetricView>>('GET', '/v1/timeseries/metrics'),
    timeseries: async (query: SeriesQuery & { from?: string; to?: string; step?: string }) =>
      read<HistoryAnswer>('/v1/timeseries', older.HISTORY, { ...query }),
    followTimeseries: (query: SeriesQuery, signal: AbortSignal, lastEventId?: string) =>
      stream(
        '/v1/timeseries/watch',
        { ...query },
        signal,
        lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
      ) as AsyncIterable<{ event: 'points'; data: HistoryAnswer; id: string }>,
    /** Prometheus's text. */
    scrape: async () => (await send('GET', '/metrics')).text(),
    controlPlaneLog: async (tail: number) => json<OwnLog>('GET', '/v1/log', { query: { tail } }),
    backup: async () => send('POST', '/v1/backup'),
    shutdown: async (drain: string) => json<Done>('POST', '/v1/shutdown', { body: { drain } }),
  };
}
