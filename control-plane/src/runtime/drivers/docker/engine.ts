/**
 * The connection to the container engine: one stream of events at a time, made again when it breaks. Between two streams the
 * engine counts as unreachable, and after each new one everything is looked at anew, since events may have been missed.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { SwitchboardError, messageOf } from '../../../model/errors.ts';

/** What the client library gives is a readable stream of Node's, though its types do not say so. */
type EventStream = NodeJS.ReadableStream & { destroy(): void };

export interface EngineEvent {
  readonly action: string;
  readonly container: string;
}

export interface Engine {
  readonly docker: Docker;
  readonly address: string;
  /** Error: `unavailable`, with what is wrong. The first call waits for the first try to connect. */
  mustBeUp(): Promise<void>;
  isUp(): boolean;
  close(): void;
}

export interface EngineOptions {
  /** unix:///path or tcp://host:port. */
  readonly address: string;
  readonly label: string;
  /** Looks at everything; awaited before the engine counts as reachable. */
  readonly lookAtAll: () => Promise<void>;
  readonly onUp: () => void;
  readonly onDown: (reason: string) => void;
  readonly onEvent: (event: EngineEvent) => void;
}

const FIRST_RETRY_MS = 250;
const SLOWEST_RETRY_MS = 5_000;
/** An engine that answers nothing, though its socket is open, is found within two of these. */
const PING_MS = 5_000;

function connectionOf(address: string): Docker.DockerOptions {
  const url = new URL(address);
  if (url.protocol === 'unix:') return { socketPath: decodeURIComponent(url.pathname) };
  return { protocol: 'http', host: url.hostname, port: Number(url.port === '' ? 2375 : url.port) };
}

const require = createRequire(import.meta.url);

/** The client library is loaded here alone: it takes 15 MiB, which a machine without an engine need not pay. */
export function connectTo(address: string): Docker {
  const Client = require('dockerode') as typeof Docker;
  return new Client(connectionOf(address));
}

/** What went wrong, in words that name the remedy's place. */
function reasonOf(address: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `there is no container engine at ${address}`;
  if (code === 'EACCES') return `this user may not use the container engine at ${address}`;
  if (code === 'ECONNREFUSED') return `no container engine listens at ${address}`;
  return `the container engine at ${address} does not answer: ${messageOf(error)}`;
}

export function createEngine(options: EngineOptions): Engine {
  const { address, label, lookAtAll, onUp, onDown, onEvent } = options;
  let client: Docker | undefined;
  const docker = (): Docker => (client ??= connectTo(address));
  const first = Promise.withResolvers<undefined>();
  let state: 'connecting' | 'up' | 'down' = 'connecting';
  let reason = `the container engine at ${address} has not answered yet`;
  let retryMs = FIRST_RETRY_MS;
  let stream: EventStream | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  function fail(error: unknown): void {
    if (closed) return;
    clearTimeout(timer);
    stream?.destroy();
    stream = undefined;
    const before = state;
    state = 'down';
    reason = reasonOf(address, error);
    first.resolve(undefined);
    if (before !== 'down') onDown(reason);
    timer = setTimeout(() => void connect(), retryMs);
    timer.unref();
    retryMs = Math.min(retryMs * 2, SLOWEST_RETRY_MS);
  }

  function follow(events: EventStream): void {
    let rest = '';
    events.setEncoding('utf8');
    events.on('data', (part: string) => {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.trim() === '') continue;
        const event = JSON.parse(line) as { Action?: string; Actor?: { ID?: string } };
        onEvent({ action: event.Action ?? '', container: event.Actor?.ID ?? '' });
      }
    });
    const end = (error?: Error): void => {
      if (stream === events) fail(error ?? new Error('it has ended the connection'));
    };
    events.once('error', end);
    events.once('end', end);
    events.once('close', end);
  }

  async function connect(): Promise<void> {
    try {
      // Where there is no engine at all, asking costs one look at the disk.
      const { socketPath } = connectionOf(address);
      if (socketPath !== undefined && !existsSync(socketPath))
        throw Object.assign(new Error('no socket'), { code: 'ENOENT' });
      await pinged();
      const opened = (await docker().getEvents({
        filters: { type: ['container'], label: [label] },
      })) as EventStream;
      if (closed) {
        opened.destroy();
        return;
      }
      stream = opened;
      follow(opened);
      await lookAtAll();
      if (stream !== opened) return;
      state = 'up';
      retryMs = FIRST_RETRY_MS;
      first.resolve(undefined);
      onUp();
      watchOver();
    } catch (error) {
      fail(error);
    }
  }

  async function pinged(): Promise<void> {
    const late = new AbortController();
    try {
      await Promise.race([
        docker().ping(),
        sleep(PING_MS, undefined, { signal: late.signal }).then(() => {
          throw new Error(`no answer within ${PING_MS / 1000} s`);
        }),
      ]);
    } finally {
      late.abort();
    }
  }

  function watchOver(): void {
    timer = setTimeout(() => {
      pinged().then(watchOver, fail);
    }, PING_MS);
    timer.unref();
  }

  void connect();

  return {
    get docker() {
      return docker();
    },
    address,
    async mustBeUp() {
      await first.promise;
      if (state !== 'up')
        throw new SwitchboardError('unavailable', reason, {
          remedy: 'Start the engine, or name its address with DOCKER_HOST or the setting runtimes.docker.host.',
        });
    },
    isUp: () => state === 'up',
    close() {
      closed = true;
      clearTimeout(timer);
      stream?.destroy();
      first.resolve(undefined);
    },
  };
}
