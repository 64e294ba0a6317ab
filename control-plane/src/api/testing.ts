/** For the tests of this folder: the API on a real socket over a real registry in memory, without agents or an Envoy. */
import { createLog } from '../log.ts';
import { SwitchboardError } from '../model/errors.ts';
import { createRegistry } from '../registry/create.ts';
import type { Registry } from '../registry/registry.ts';
import { memoryStore } from '../store/drivers/memory.ts';
import { createSessionTable, type SessionTable } from '../telemetry/sessions.ts';
import { createAcks } from '../xds/acks.ts';
import { createClient, type ApiClient } from './client.ts';
import type { ApiContext } from './context.ts';
import { startApi } from './server.ts';

export const TOKEN = 'test-token';

export interface RunningApi extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly client: ApiClient;
  readonly registry: Registry;
  readonly sessions: SessionTable;
  /** How many streams listen for changes now. */
  watchers(): number;
  /** All that was logged. */
  log(): string;
  close(): Promise<void>;
}

/** `changed` replaces parts of the context, such as a log that has lines. */
export async function startTestApi(changed: Partial<ApiContext> = {}, port = 0): Promise<RunningApi> {
  const now = (): number => Date.now();
  let logged = '';
  const log = createLog('info', { write: (text) => (logged += text) });
  const store = await memoryStore.create({ history: 1000 }, { now });
  const registry = await createRegistry({ store, now, log });
  const sessions = createSessionTable({ now, intervalMs: 10_000 });
  const acks = createAcks(() => [], now);
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  registry.subscribe(tell);
  sessions.subscribe(tell);
  const api: ApiContext = {
    registry,
    log,
    now,
    authenticate: (token) => (token === TOKEN ? { actor: 'admin' } : undefined),
    system: () => ({
      version: '0.0.0',
      startedAt: '2026-01-01T00:00:00.000Z',
      revision: registry.view().revision,
      controlPlane: { pid: process.pid, node: process.version },
      gateway: { url: 'ws://127.0.0.1:8800', host: '127.0.0.1', port: 8800 },
      api: { url: 'http://127.0.0.1:0', host: '127.0.0.1', port: 0 },
      xds: { host: '127.0.0.1', port: 0 },
      data: '/data',
      envoy: {
        state: 'stopped',
        pid: null,
        version: '1.40.0',
        adopted: false,
        startedAt: null,
        restarts: 0,
        reason: '',
      },
      agents: [],
      sessions: { open: sessions.counts().total, settled: sessions.counts().settled },
    }),
    readiness: () => [{ name: 'store', ok: true, message: 'in memory' }],
    health: () => undefined,
    sessions: () => sessions.list(),
    sessionCounts: () => sessions.counts(),
    gateways: () => [],
    whenAcked: async (revision, timeoutMs, signal) => acks.whenAcked(revision, timeoutMs, signal),
    revision: () => undefined,
    // eslint-disable-next-line require-yield -- there is no runtime here, as for an instance that runs elsewhere
    async *logs(instance) {
      throw new SwitchboardError('unsupported', `${instance} runs elsewhere: its log is not here`);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async backup() {
      throw new SwitchboardError('unsupported', 'a store in memory has no file');
    },
    shutdown: async () => undefined,
    consoleFolder: undefined,
    ...changed,
  };
  const server = await startApi({ host: '127.0.0.1', port, version: '0.0.0', api });
  const url = `http://127.0.0.1:${server.port}`;
  const close = async (): Promise<void> => {
    await server.close();
    await registry.close();
    await store.close();
  };
  return {
    url,
    port: server.port,
    client: createClient({ url, token: TOKEN }),
    registry,
    sessions,
    watchers: () => listeners.size,
    log: () => logged,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A Service document that needs no runtime. */
export function externalService(name: string, port = 9100): Record<string, unknown> {
  return { kind: 'Service', name, spec: { runtime: 'external', addresses: [{ host: '127.0.0.1', port }] } };
}
