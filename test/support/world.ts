/**
 * A world of real processes: a control plane, its Envoy and its agents, on free ports in a folder of their own.
 * `await using world = await startWorld(...)` ends them all, also when a test fails. Only processes of this world are ended, by pid.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient, type ApiClient } from '../../control-plane/src/api/client.ts';
import { addressText } from '../../control-plane/src/model/address.ts';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../control-plane/src/cli/node-options.ts';
import type { SystemStatus } from '../../control-plane/src/model/system.ts';
import { opinionsIn } from '../../control-plane/src/telemetry/gateway-view.ts';
import { WrongAnswer, lookingFetch } from './answers.ts';
import { openCrowd, openSession, type Crowd, type OpenSession } from './sessions.ts';

export const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
/** As the starter sets it: a start from compiled code takes half the time. */
export const compiled = process.env['NODE_COMPILE_CACHE'] ?? join(repository, 'node_modules/.cache/node');
/** In tests each answer must be what the API's document says; figures are taken without. */
const looking = process.env['VITEST'] === undefined ? {} : { fetch: lookingFetch };
const mainFile = join(repository, 'control-plane/src/main.ts');
const echoAgent = join(repository, 'test/support/echo-agent.ts');

export interface WorldOptions {
  /** Documents applied when the registry is empty. */
  seed?: readonly unknown[];
  /** More SWITCHBOARD_* variables. */
  environment?: Record<string, string>;
  /** Name of the folder below the temporary one; spaces are allowed. */
  name?: string;
  /** Do not wait for all agents of the seed. */
  waitReady?: boolean;
}

export interface World extends AsyncDisposable {
  readonly folder: string;
  readonly data: string;
  readonly token: string;
  client: ApiClient;
  /** What the admin socket of its Envoy answers. */
  readonly admin: (path: string) => Promise<string>;
  status(): Promise<SystemStatus>;
  /** ws:// address of a service's default route. */
  url(service: string): string;
  open(service: string): Promise<OpenSession>;
  crowd(service: string, count: number, everyMs?: number): Promise<Crowd>;
  /** kill -9 of the control plane alone. */
  killControlPlane(): Promise<void>;
  startControlPlane(): Promise<void>;
  /** Polls until `check` gives a value, or throws after `timeoutMs` with what was last seen. */
  until<T>(what: string, check: () => Promise<T | undefined | false>, timeoutMs?: number): Promise<T>;
  ready(service: string, count: number): Promise<void>;
  /** Until every gateway runs what the registry knows now. */
  acked(): Promise<void>;
  /** What the control plane has written to its log, newest last. */
  log(): string;
}

/** A Service document that runs the echo agent. */
export function echoService(
  name: string,
  spec: Record<string, unknown> = {},
  args: readonly string[] = [],
): Record<string, unknown> {
  return {
    kind: 'Service',
    name,
    spec: {
      launch: { command: [process.execPath, echoAgent, '--port', '{port}', ...args] },
      probe: { type: 'websocket', interval: '1s' },
      ...spec,
    },
  };
}

async function poll<T>(what: string, check: () => Promise<T | undefined | false>, timeoutMs: number): Promise<T> {
  const limit = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
      last = value;
    } catch (error) {
      if (error instanceof Error && error.cause instanceof WrongAnswer) throw error.cause;
      last = error;
    }
    if (Date.now() > limit)
      throw new Error(`gave up waiting until ${what}: ${last instanceof Error ? last.message : String(last)}`, {
        cause: last,
      });
    await sleep(25);
  }
}

function endByPid(pid: number | null): void {
  if (pid === null) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/**
 * Worlds that run at the same time keep out of each other's ports, which are free when they are chosen and taken by an agent only a moment
 * later: each of the two workers of a test run has its own half, and there each world the next part of it.
 */
const HALF = 4_800;
const PART = 300;
const half = 20_000 + HALF * (Number(process.env['VITEST_POOL_ID'] ?? 0) % 2);
let parts = Math.floor(Math.random() * (HALF / PART));
function nextPorts(): string {
  parts = (parts + 1) % (HALF / PART);
  const first = half + PART * parts;
  return `${first}-${first + PART - 1}`;
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), `sb-${options.name ?? 'world'}-`));
  const data = join(folder, 'data');
  const logFile = join(folder, 'control-plane.log');
  const seedFile = join(folder, 'seed.json');
  writeFileSync(seedFile, JSON.stringify(options.seed ?? []));
  const agentPorts = nextPorts();
  let child: ChildProcess | undefined;
  let known: SystemStatus | undefined;

  async function startControlPlane(): Promise<void> {
    const runtimeFile = join(data, 'runtime.json');
    rmSync(runtimeFile, { force: true });
    const sink = createWriteStream(logFile, { flags: 'a' });
    const started = spawn(process.execPath, [...NODE_FLAGS, mainFile], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...NODE_ENVIRONMENT,
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'],
        NODE_COMPILE_CACHE: compiled,
        SWITCHBOARD_DATA: data,
        SWITCHBOARD_GATEWAY_PORT: '0',
        SWITCHBOARD_API_PORT: '0',
        SWITCHBOARD_XDS_PORT: '0',
        SWITCHBOARD_AGENTS_PORTS: agentPorts,
        SWITCHBOARD_ENVOY_CONCURRENCY: '1',
        SWITCHBOARD_SEED: seedFile,
        ...options.environment,
      },
    });
    child = started;
    started.stdout.pipe(sink, { end: false });
    started.stderr.pipe(sink, { end: false });
    const hasEnded = (): boolean => started.exitCode !== null || started.signalCode !== null;
    const checkRuns = (): void => {
      if (hasEnded())
        throw new Error(`it ended with ${String(started.exitCode)}: ${readFileSync(logFile, 'utf8').slice(-2000)}`);
    };
    const running = await poll(
      'the control plane answers',
      async () => {
        if (hasEnded()) return { apiUrl: '' };
        return existsSync(runtimeFile)
          ? (JSON.parse(readFileSync(runtimeFile, 'utf8')) as { apiUrl: string })
          : undefined;
      },
      20_000,
    ).catch((error: unknown) => {
      endByPid(started.pid ?? null);
      throw error;
    });
    checkRuns();
    world.client = createClient({ url: running.apiUrl, token: world.token, ...looking });
    await poll('the gateway is ready', async () => hasEnded() || (await world.client.readyz()).ready, 20_000);
    checkRuns();
    known = await world.client.status();
  }

  const admin = async (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const call = request({ socketPath: join(data, 'envoy/admin.sock'), path }, (response) => {
        text(response).then(resolve, reject);
      });
      call.on('error', reject);
      call.end();
    });

  const world: World = {
    folder,
    data,
    admin,
    get token() {
      return readFileSync(join(data, 'admin.token'), 'utf8').trim();
    },
    client: createClient({ url: 'http://127.0.0.1:1', token: '' }),
    async status() {
      known = await world.client.status();
      return known;
    },
    url: (service) => `ws://127.0.0.1:${known?.gateway.port ?? 0}/agents/${service}`,
    open: async (service) => openSession(world.url(service)),
    crowd: async (service, count, everyMs) => openCrowd(world.url(service), count, everyMs),
    async killControlPlane() {
      const running = child;
      if (running?.pid === undefined || running.exitCode !== null || running.signalCode !== null) return;
      const gone = new Promise((resolve) => running.once('exit', resolve));
      running.kill('SIGKILL');
      await gone;
    },
    startControlPlane,
    until: async (what, check, timeoutMs = 20_000) => poll(what, check, timeoutMs),
    async ready(service, count) {
      await poll(
        `${count} instances of ${service} are ready`,
        async () => {
          const { items } = await world.client.instances({ service });
          const ready = items.filter((instance) => instance.state === 'ready').length;
          if (ready !== count)
            throw new Error(
              items.map((instance) => `${instance.id} ${instance.state}: ${instance.message}`).join('; '),
            );
          const newest = Math.max(...items.map((instance) => instance.revision));
          const { items: gateways } = await world.client.gateways();
          if (gateways.length === 0 || gateways.some((gateway) => gateway.ackedRevision < newest)) return false;
          // An acknowledged instance gets sessions after Envoy's own first check of it.
          const opinions = opinionsIn(await admin('/clusters'));
          return items.every(
            ({ state, address }) =>
              state !== 'ready' || address === undefined || opinions.get(addressText(address)) === '',
          );
        },
        20_000,
      );
    },
    async acked() {
      await world.until('the gateway runs the newest revision', async () => {
        const { revision } = await world.client.status();
        const { items } = await world.client.gateways();
        return items.length > 0 && items.every((gateway) => gateway.ackedRevision >= revision);
      });
    },
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''),
    async [Symbol.asyncDispose]() {
      try {
        known = await world.client.status();
      } catch {
        // It does not answer: what was known last is ended.
      }
      await world.killControlPlane();
      for (const agent of known?.agents ?? []) endByPid(agent.pid);
      endByPid(known?.envoy.former?.pid ?? null);
      endByPid(known?.envoy.pid ?? null);
      endLeftovers(data);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
  try {
    await startControlPlane().catch(async (error: unknown) => {
      // Worlds that start at the same time may pick the same free port.
      if (!String(error).includes('EADDRINUSE')) throw error;
      await startControlPlane();
    });
    if (options.waitReady !== false) {
      for (const document of (options.seed ?? []) as {
        kind: string;
        name: string;
        spec: { replicas?: number; runtime?: string };
      }[]) {
        if (document.kind === 'Service' && document.spec.runtime !== 'external')
          await world.ready(document.name, document.spec.replicas ?? 1);
      }
    }
  } catch (error) {
    const text = world.log();
    await world[Symbol.asyncDispose]();
    throw new Error(`the world did not start: ${String(error)}\n${text.slice(-4000)}`, { cause: error });
  }
  return world;
}

/** Agents and Envoys whose records lie in this world's folder: those that a test left behind while the control plane was dead. */
function endLeftovers(data: string): void {
  for (const file of recordFiles(data)) {
    try {
      const record = JSON.parse(readFileSync(file, 'utf8')) as {
        pid?: number;
        process?: { pid: number };
        former?: { process: { pid: number } } | null;
        generation?: { baseId: number };
      };
      endByPid(record.former?.process.pid ?? null);
      endByPid(record.process?.pid ?? record.pid ?? null);
      // Envoy leaves it behind when it is killed.
      if (record.generation !== undefined)
        rmSync(`/dev/shm/envoy_shared_memory_${record.generation.baseId * 10}`, { force: true });
    } catch {
      // Gone or half written: nothing to end.
    }
  }
}

function recordFiles(data: string): string[] {
  const found: string[] = [];
  const instances = join(data, 'instances');
  if (existsSync(instances)) found.push(...readdirSync(instances).map((id) => join(instances, id, 'process.json')));
  found.push(join(data, 'envoy', 'envoy.json'));
  return found.filter((file) => existsSync(file));
}
