/**
 * Keeps one Envoy running that outlives its starter: detached, with its output in a file, found again by pid, start time and the node id that
 * its admin socket tells. Ending the supervisor leaves Envoy as it is.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  fstatSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { admin, openSessions, whoAnswers } from './admin.ts';
import { findByArgument, identify, isAlive, type ProcessIdentity } from './identity.ts';
import { adminSocketPath } from './socket-path.ts';

export interface EnvoyStatus {
  readonly state: 'starting' | 'running' | 'draining' | 'backoff' | 'stopped';
  readonly pid: number | null;
  readonly version: string;
  readonly adopted: boolean;
  readonly startedAt: string | null;
  readonly restarts: number;
  readonly reason: string;
}

export interface EnvoyOptions {
  /** Absolute folder of its own. */
  readonly folder: string;
  readonly binary: string;
  readonly version: string;
  readonly nodeId: string;
  /** The bootstrap for a given admin socket. */
  readonly bootstrap: (adminPath: string) => object;
  readonly concurrency: number;
  readonly logLevel: string;
  readonly now: () => number;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

export interface EnvoySupervisor {
  /** Adopts the one that runs, or starts one; then keeps it running. */
  start(): Promise<void>;
  status(): EnvoyStatus;
  /** Who it is, as one text; empty: none runs. */
  identity(): string;
  /** The bootstrap that the running one was started with, maybe by an earlier version; empty: not known. */
  startedWith(): string;
  watch(listener: (status: EnvoyStatus) => void): () => void;
  admin(path: string, options?: { method?: 'GET' | 'POST' }): Promise<string>;
  /** No new connections; ends it when no session is open or the time is over. */
  stop(options: { drainMs: number }): Promise<void>;
  /** Stops looking after it. It goes on running. */
  close(): void;
}

interface Record {
  readonly process: ProcessIdentity;
  readonly startedAt: string;
  readonly bootstrap: string;
}

const LOOK_MS = 250;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 5_000;
const STABLE_MS = 30_000;
const LARGEST_LOG = 10 * 1024 * 1024;
const ADOPT_TRIES = 20;

export function createEnvoy(options: EnvoyOptions): EnvoySupervisor {
  const { folder, log, now } = options;
  const files = {
    record: join(folder, 'envoy.json'),
    bootstrap: join(folder, 'bootstrap.json'),
    log: join(folder, 'envoy.log'),
  };
  const listeners = new Set<(status: EnvoyStatus) => void>();
  let socketPath = '';
  let current: { process: ProcessIdentity; child: ChildProcess | undefined } | undefined;
  let status: EnvoyStatus = {
    state: 'stopped',
    pid: null,
    version: options.version,
    adopted: false,
    startedAt: null,
    restarts: 0,
    reason: '',
  };
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;
  let wanted = false;

  function become(change: Partial<EnvoyStatus>): void {
    status = { ...status, ...change };
    for (const listener of listeners) listener(status);
  }

  function readRecord(): Record | undefined {
    try {
      return JSON.parse(readFileSync(files.record, 'utf8')) as Record;
    } catch {
      return undefined;
    }
  }

  /** The running Envoy of this folder, by its record or by its command line. */
  async function findRunning(): Promise<{ process: ProcessIdentity; startedAt: string } | undefined> {
    const record = readRecord();
    const candidates =
      record !== undefined && isAlive(record.process) ? [record.process] : findByArgument(files.bootstrap);
    for (const process of candidates) {
      for (let attempt = 0; attempt < ADOPT_TRIES && isAlive(process); attempt += 1) {
        const answer = await whoAnswers(socketPath);
        if (answer?.nodeId === options.nodeId)
          return { process, startedAt: record?.startedAt ?? new Date(now()).toISOString() };
        await sleep(50);
      }
      // It is ours by its record or command line, and does not answer: nothing can be done with it.
      log.warn({ pid: process.pid }, 'an Envoy of this folder runs and does not answer: it is ended');
      if (isAlive(process)) signalProcess(process.pid, 'SIGKILL');
    }
    return undefined;
  }

  function keepLogSmall(): void {
    if (!existsSync(files.log) || statSync(files.log).size <= LARGEST_LOG) return;
    copyFileSync(files.log, `${files.log}.1`);
    truncateSync(files.log, 0);
  }

  function launch(): void {
    keepLogSmall();
    const text = JSON.stringify(options.bootstrap(socketPath), undefined, 2);
    writeFileSync(files.bootstrap, text, { mode: 0o600 });
    rmSync(socketPath, { force: true });
    const output = openSync(files.log, 'a', 0o600);
    const args = [
      '--config-path',
      files.bootstrap,
      '--concurrency',
      String(options.concurrency),
      '--log-level',
      options.logLevel,
      '--disable-hot-restart',
    ];
    const child = spawn(options.binary, args, {
      detached: true,
      stdio: ['ignore', output, output],
      cwd: folder,
      env: {},
    });
    closeSync(output);
    child.once('error', (error) => {
      died(error.message);
    });
    child.unref();
    const process = child.pid === undefined ? undefined : identify(child.pid);
    if (process === undefined) return;
    const startedAt = new Date(now()).toISOString();
    writeFileSync(`${files.record}.new`, JSON.stringify({ process, startedAt, bootstrap: text } satisfies Record), {
      mode: 0o600,
    });
    renameSync(`${files.record}.new`, files.record);
    const mine = { process, child };
    current = mine;
    child.once('exit', (code, signal) => {
      if (current === mine)
        died(signal === null ? `it ended with exit code ${String(code)}` : `it was ended by ${signal}`);
    });
    become({ state: 'starting', pid: process.pid, adopted: false, startedAt, reason: '' });
  }

  function lastLogLine(): string {
    if (!existsSync(files.log)) return '';
    const file = openSync(files.log, 'r');
    try {
      const length = Math.min(8192, fstatSync(file).size);
      const buffer = Buffer.alloc(length);
      readSync(file, buffer, 0, length, fstatSync(file).size - length);
      const lines = buffer
        .toString('utf8')
        .split('\n')
        .filter((line) => line.trim() !== '');
      const telling = lines.findLast((line) => /critical|error|cannot|exception/i.test(line)) ?? '';
      return telling.trim().slice(0, 500);
    } finally {
      closeSync(file);
    }
  }

  function died(how: string): void {
    current = undefined;
    const wasStable = status.startedAt !== null && now() - Date.parse(status.startedAt) > STABLE_MS;
    failures = wasStable ? 1 : failures + 1;
    if (!wanted) {
      become({ state: 'stopped', pid: null });
      return;
    }
    const wait = Math.min(FIRST_BACKOFF_MS * 2 ** (failures - 1), LONGEST_BACKOFF_MS);
    const line = lastLogLine();
    become({
      state: 'backoff',
      pid: null,
      reason: line === '' ? how : `${how}: ${line}`,
      restarts: status.restarts + 1,
    });
    log.warn({ reason: status.reason, waitMs: wait }, 'Envoy has ended; it is started again');
    setTimeout(() => {
      if (wanted && current === undefined) launch();
    }, wait).unref();
  }

  async function look(): Promise<void> {
    const seen = current;
    if (seen === undefined) return;
    if (!isAlive(seen.process)) {
      if (current === seen) died('it is gone');
      return;
    }
    if (status.state === 'starting' && (await whoAnswers(socketPath))?.nodeId === options.nodeId && current === seen)
      become({ state: 'running' });
  }

  function signalProcess(pid: number, signal: NodeJS.Signals): void {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself.
    }
  }

  return {
    async start() {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      socketPath = adminSocketPath(folder);
      wanted = true;
      const running = await findRunning();
      if (running === undefined) launch();
      else {
        current = { process: running.process, child: undefined };
        become({ state: 'running', pid: running.process.pid, adopted: true, startedAt: running.startedAt, reason: '' });
        log.info({ pid: running.process.pid }, 'Envoy was found running and is kept');
      }
      timer = setInterval(() => {
        void look().catch((error: unknown) => {
          log.warn({ error }, 'cannot look after Envoy; trying again');
        });
      }, LOOK_MS);
      timer.unref();
    },
    status: () => status,
    identity: () => (current === undefined ? '' : `${current.process.pid}@${current.process.startTime}`),
    startedWith: () => (current === undefined ? '' : (readRecord()?.bootstrap ?? '')),
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    admin: async (path, request) => admin(socketPath, path, request),
    async stop({ drainMs }) {
      wanted = false;
      clearInterval(timer);
      const ending = current;
      if (ending === undefined) return;
      const limit = now() + drainMs;
      if (drainMs > 0) {
        become({ state: 'draining' });
        await admin(socketPath, '/drain_listeners', { method: 'POST' }).catch(() => undefined);
        while (now() < limit && isAlive(ending.process) && (await openSessions(socketPath).catch(() => 0)) > 0)
          await sleep(200);
      }
      if (isAlive(ending.process)) signalProcess(ending.process.pid, 'SIGTERM');
      for (let round = 0; round < 100 && isAlive(ending.process); round += 1) await sleep(50);
      if (isAlive(ending.process)) signalProcess(ending.process.pid, 'SIGKILL');
      rmSync(files.record, { force: true });
      current = undefined;
      become({ state: 'stopped', pid: null });
    },
    close() {
      wanted = false;
      clearInterval(timer);
      listeners.clear();
      current = undefined;
    },
  };
}
