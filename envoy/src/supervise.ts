/**
 * Keeps one Envoy running that outlives its starter: detached, with its output in a file, found again by pid, start time and the node id that
 * its admin socket tells. Ending the supervisor leaves Envoy as it is. It can be replaced by a new one while it serves (`handover.ts`).
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { admin, openSessions, whoAnswers } from './admin.ts';
import { startDetached } from './detach.ts';
import { createFormerKeeper } from './former.ts';
import { startedForOf, type Address } from './bootstrap.ts';
import {
  DRAIN_ARGUMENTS,
  canHandOver,
  endsWithinMs,
  firstGeneration,
  forget,
  handoverArguments,
  listeningPorts,
  standIn,
  type Generation,
} from './handover.ts';
import { argumentsOf, findByArgument, identify, isAlive, isStopped, type ProcessIdentity } from './identity.ts';
import { createLookout } from './lookout.ts';
import { answersClients, createPulse, type Beat } from './pulse.ts';
import {
  RECORD,
  keepLogSmall,
  lastFailure,
  readRecord,
  sizeOf,
  writeRecord,
  type EnvoyRecord,
  type Former,
} from './record.ts';
import { signalProcess } from './signal.ts';
import { adminSocketPath, handoverSocketPath } from './socket-path.ts';
import type { EnvoyOptions, EnvoyStatus, EnvoySupervisor } from './supervisor.ts';

interface Running {
  readonly process: ProcessIdentity;
  readonly child: ChildProcess | undefined;
  readonly generation: Generation | undefined;
}

interface Started {
  readonly process: ProcessIdentity | undefined;
  /** Where it is our child: its end is told at once. */
  readonly child: ChildProcess | undefined;
}

const run = promisify(execFile);
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 5_000;
const STABLE_MS = 30_000;
const ADOPT_TRIES = 20;
const TAKES_OVER_MS = 30_000;
const ANSWERS_MS = 2_000;

const textOf = ({ pid, startTime }: ProcessIdentity): string => `${pid}@${startTime}`;

export function createEnvoy(options: EnvoyOptions): EnvoySupervisor {
  const { folder, log, now } = options;
  const files = {
    record: join(folder, RECORD),
    bootstrap: join(folder, 'bootstrap.json'),
    log: join(folder, 'envoy.log'),
  };
  const listeners = new Set<(status: EnvoyStatus) => void>();
  let socketPath = '';
  let handoverPath = '';
  let current: Running | undefined;
  /** From here on the log is that of the newest that was started. */
  let logFrom = 0;
  const former = createFormerKeeper(now);
  let replacing = false;
  let status: EnvoyStatus = {
    state: 'stopped',
    pid: null,
    version: options.version,
    adopted: false,
    startedAt: null,
    restarts: 0,
    reason: '',
    former: null,
    outdated: [],
  };
  const lookout = createLookout({
    look: async () =>
      look().catch((error: unknown) => {
        log.warn({ error }, 'cannot look after Envoy; trying again');
      }),
    isOften: () => former.get() !== undefined,
  });
  const pulse = createPulse({
    admin: async () => (await whoAnswers(socketPath)) !== undefined,
    clients: async () => answersClients({ ...options.client, host: options.reachedAt }, ANSWERS_MS),
    clock: () => performance.now(),
  });
  /** Why it was ended here. */
  let endedFor: string | undefined;
  let failures = 0;
  let wanted = false;

  function become(change: Partial<EnvoyStatus>): void {
    status = { ...status, ...change };
    for (const listener of listeners) listener(status);
  }

  /** The running Envoy of this folder, by its record or by its command line. */
  async function findRunning(): Promise<(Running & { readonly startedAt: string }) | undefined> {
    const record = readRecord(files.record);
    if (record?.former != null && isAlive(record.former.process)) former.set(withPorts(record.former));
    const isRecorded = record !== undefined && isAlive(record.process) && isOurs(record.process);
    for (const process of isRecorded ? [record.process] : findByArgument(files.bootstrap)) {
      // It serves on what it has open, and can be told nothing.
      if (process.pid === former.get()?.process.pid) continue;
      if (isStopped(process)) signalProcess(process.pid, 'SIGCONT');
      for (let attempt = 0; attempt < ADOPT_TRIES && isAlive(process); attempt += 1) {
        const answer = await whoAnswers(socketPath);
        if (answer?.nodeId === options.nodeId) return foundAs(process, record, answer.epoch);
        await sleep(50);
      }
      // It is ours by its record or command line, and does not answer: nothing can be done with it.
      log.warn({ pid: process.pid }, 'an Envoy of this folder runs and does not answer: it is ended');
      if (isAlive(process)) signalProcess(process.pid, 'SIGKILL');
    }
    return undefined;
  }

  /** A copy of the folder has the same record, and its Envoy is that of the folder that was copied; one that was moved has its own. */
  function isOurs(process: ProcessIdentity): boolean {
    const known = argumentsOf(process);
    const config = known?.[known.indexOf('--config-path') + 1];
    return config === undefined || config === files.bootstrap || !existsSync(config);
  }

  const ofNow = { settings: options.settings, client: options.client, alsoAt: options.alsoAt };
  const portsOfNow = [options.client, ...options.alsoAt].map(({ port }) => port);

  /** A record of an earlier version tells none: the process itself does, as long as it listens. */
  const portsOf = ({ process, ports }: Pick<Former, 'process'> & { readonly ports?: readonly number[] }) =>
    ports ?? [...new Set([...portsOfNow, ...listeningPorts(process.pid)])];
  const withPorts = (one: Former): Former => ({ ...one, ports: portsOf(one) });

  const formerOf = (record: EnvoyRecord | undefined, process: ProcessIdentity, since: string, until: string | null) =>
    ({
      process,
      since,
      until,
      ports: portsOf({ ...record, process }),
      ...(record === undefined ? {} : { bootstrap: record.bootstrap }),
    }) satisfies Former;

  /** Another port is told to the running one: what came in by the old one goes on there. Another host needs one that is started for it. */
  async function meetClients(): Promise<Address | undefined> {
    const record = readRecord(files.record);
    if (record === undefined) return undefined;
    const { client } = record;
    const ports = portsOf(record);
    if (client === undefined || startedForOf(record.bootstrap) !== options.startedFor) {
      note({ ...record, ports });
      return undefined;
    }
    const isMoved = client.port !== options.client.port;
    if (isMoved) await options.mayListen();
    const { alsoAt } = options;
    note({ ...record, client: options.client, alsoAt, ports: [...new Set([...ports, ...portsOfNow])] });
    return isMoved ? client : undefined;
  }

  function outdated(): string[] {
    const { settings } = readRecord(files.record) ?? {};
    if (current === undefined || settings === undefined) return [];
    return Object.entries(options.settings)
      .map(([name, value]) => ({ name, value, before: settings[name] ?? '' }))
      .filter(({ value, before }) => before !== value)
      .map(({ name, value, before }) => `${name} (${before || 'not set'}, now ${value || 'not set'})`);
  }

  /** The admin socket is that of the newest. Where that is a later one than the record tells, the handover was seen by nobody. */
  function foundAs(
    process: ProcessIdentity,
    record: EnvoyRecord | undefined,
    epoch: number,
  ): Running & { readonly startedAt: string } {
    const present = new Date(now()).toISOString();
    const found = { process, child: undefined, generation: record?.generation };
    const { generation } = found;
    const next = findByArgument(files.bootstrap).find(({ pid }) => pid !== process.pid);
    if (record === undefined || generation === undefined || epoch <= generation.epoch || next === undefined)
      return { ...found, startedAt: record?.startedAt ?? present };
    const before = formerOf(record, process, present, null);
    former.set(before);
    const later = { ...generation, epoch };
    const bootstrap = readFileSync(files.bootstrap, 'utf8');
    note({ ...record, process: next, startedAt: present, bootstrap, generation: later, former: before });
    return { process: next, child: undefined, generation: later, startedAt: present };
  }

  function note(record: EnvoyRecord): void {
    writeRecord(files.record, record);
  }

  function start(text: string, generation: Generation | undefined): Started {
    keepLogSmall(files.log);
    logFrom = sizeOf(files.log);
    writeFileSync(files.bootstrap, text, { mode: 0o600 });
    const output = openSync(files.log, 'a', 0o600);
    const args = [
      '--config-path',
      files.bootstrap,
      '--concurrency',
      String(options.concurrency),
      '--log-level',
      options.logLevel,
      ...DRAIN_ARGUMENTS,
      ...handoverArguments(generation, handoverPath),
    ];
    try {
      if (generation !== undefined) {
        const pid = startDetached(options.binary, args, { output, cwd: folder });
        return { child: undefined, process: identify(pid) };
      }
      const child = spawn(options.binary, args, {
        detached: true,
        stdio: ['ignore', output, output],
        cwd: folder,
        env: {},
      });
      child.unref();
      return { child, process: child.pid === undefined ? undefined : identify(child.pid) };
    } finally {
      closeSync(output);
    }
  }

  function launch(): void {
    const text = JSON.stringify(options.bootstrap(socketPath), undefined, 2);
    const before = readRecord(files.record)?.generation;
    if (before !== undefined) forget(before, handoverPath);
    const generation = canHandOver() ? firstGeneration() : undefined;
    rmSync(socketPath, { force: true });
    let started: Started;
    try {
      started = start(text, generation);
    } catch (error) {
      died(error instanceof Error ? error.message : String(error));
      return;
    }
    const { child, process } = started;
    child?.once('error', (error) => {
      died(error.message);
    });
    if (process === undefined) return;
    const startedAt = new Date(now()).toISOString();
    note({
      process,
      startedAt,
      bootstrap: text,
      ...ofNow,
      ports: portsOfNow,
      ...(generation === undefined ? {} : { generation }),
      former: former.get() ?? null,
      logFrom,
    });
    follow({ process, child, generation });
    become({ state: 'starting', pid: process.pid, adopted: false, startedAt, reason: '', outdated: [] });
  }

  function follow(mine: Running): void {
    current = mine;
    endedFor = undefined;
    lookout.letGo();
    mine.child?.once('exit', (code, signal) => {
      if (current === mine)
        died(signal === null ? `it ended with exit code ${String(code)}` : `it was ended by ${signal}`, signal);
    });
  }

  /** Who is ended from outside has not written why. */
  const FROM_OUTSIDE: readonly unknown[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'];

  function died(how: string, signal: NodeJS.Signals | null = null): void {
    current = undefined;
    const wasStable = status.startedAt !== null && now() - Date.parse(status.startedAt) > STABLE_MS;
    failures = wasStable ? 1 : failures + 1;
    if (!wanted) {
      become({ state: 'stopped', pid: null });
      return;
    }
    const wait = Math.min(FIRST_BACKOFF_MS * 2 ** (failures - 1), LONGEST_BACKOFF_MS);
    const line = FROM_OUTSIDE.includes(signal) ? '' : lastFailure(files.log, logFrom);
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

  function whyNotReplace(): ReturnType<EnvoySupervisor['whyNotReplace']> {
    if (!canHandOver())
      return {
        kind: 'unsupported',
        message: 'Envoy can hand its listener over to another on Linux alone, with /dev/shm',
      };
    if (replacing) return { kind: 'conflict', message: 'it is being replaced already' };
    if (current === undefined || status.state !== 'running')
      return { kind: 'conflict', message: `it is ${status.state}` };
    if (current.generation === undefined)
      return { kind: 'unsupported', message: 'it was started by a version that could not hand over' };
    // It would end of it: its sockets for that have another name.
    if (argumentsOf(current.process)?.includes(files.bootstrap) === false)
      return { kind: 'unsupported', message: 'its folder was another when it was started: it can not hand over' };
    const one = former.get();
    if (one !== undefined)
      return {
        kind: 'conflict',
        message: `the one before it (process ${one.process.pid}) still serves sessions, ${one.until === null ? 'until they end' : `until ${one.until}`}`,
      };
    return undefined;
  }

  /** Throws when the new one does not serve in time; it is ended then. */
  async function replaceBy(text: string, old: Running, generation: Generation, until: string | null): Promise<void> {
    const { child, process } = start(text, generation);
    let end = '';
    const limit = now() + TAKES_OVER_MS;
    const serves = async (): Promise<boolean> => {
      const answer = await whoAnswers(socketPath);
      return answer?.nodeId === options.nodeId && answer.epoch === generation.epoch && answer.state === 'LIVE';
    };
    while (end === '' && !(await serves())) {
      if (process === undefined || !isAlive(process)) end = 'it has ended';
      if (now() > limit) end = `it did not serve within ${TAKES_OVER_MS / 1_000} s`;
      await sleep(25);
    }
    if (end !== '' || process === undefined) {
      if (process !== undefined && isAlive(process)) signalProcess(process.pid, 'SIGKILL');
      const line = lastFailure(files.log, logFrom);
      // The old one goes on, and the new one's words are none of its.
      logFrom = sizeOf(files.log);
      throw new Error(`the new Envoy does not take over: ${end}${line === '' ? '' : `: ${line}`}`);
    }
    const startedAt = new Date(now()).toISOString();
    const before = formerOf(readRecord(files.record), old.process, startedAt, until);
    former.set(before);
    const clients = { ...ofNow, ports: portsOfNow };
    note({ process, startedAt, bootstrap: text, ...clients, generation, former: before, logFrom });
    follow({ process, child, generation });
    failures = 0;
    const running = { state: 'running', pid: process.pid, adopted: false, startedAt } as const;
    become({ ...running, reason: '', former: formerStatus(), outdated: [] });
  }

  /** Where the new one listens on a port of the old one, but on other hosts of it, the old one lets go of it first: for a moment nobody listens. */
  async function makeRoom({ process }: Running): Promise<void> {
    const { client, alsoAt = [] } = readRecord(files.record) ?? {};
    const isMoved =
      client === undefined
        ? !listeningPorts(process.pid).includes(options.client.port)
        : client.port !== options.client.port;
    if (isMoved) await options.mayListen();
    const before = client === undefined ? [] : [client, ...alsoAt];
    const isInTheWay = [options.client, ...options.alsoAt].some(({ host, port }) =>
      before.some((one) => one.port === port && one.host !== host),
    );
    if (isInTheWay) await admin(socketPath, '/drain_listeners', { method: 'POST' });
  }

  function formerStatus(): EnvoyStatus['former'] {
    const one = former.get();
    return one === undefined ? null : { pid: one.process.pid, since: one.since, until: one.until };
  }

  function lookAtFormer(): void {
    if (!former.look()) return;
    const record = readRecord(files.record);
    if (record !== undefined) note({ ...record, former: null });
    become({ former: null });
  }

  async function look(): Promise<void> {
    lookAtFormer();
    const seen = current;
    if (seen === undefined) return;
    if (!isAlive(seen.process)) {
      if (current === seen) died(endedFor ?? 'it has ended');
      return;
    }
    if (status.state === 'starting' && (await whoAnswers(socketPath))?.nodeId === options.nodeId && current === seen)
      become({ state: 'running' });
    if (status.state !== 'running' || current !== seen) return;
    lookout.hold(socketPath);
    // While one is replaced, neither has the admin address for a moment.
    const beat = replacing ? undefined : await pulse();
    if (current === seen && !replacing) feel(seen, beat);
  }

  function feel({ process }: Running, beat: Beat | undefined): void {
    if (beat === undefined || endedFor !== undefined) return;
    if (beat === 'answers') {
      if (status.reason !== '') become({ reason: '' });
      return;
    }
    if (beat === 'hangs') {
      endedFor = 'it did not answer for 12 s, neither its control plane nor its clients, and was ended';
      signalProcess(process.pid, 'SIGKILL');
      return;
    }
    const stopped = isStopped(process);
    if (stopped) signalProcess(process.pid, 'SIGCONT');
    const reason = stopped
      ? 'a signal had stopped it (SIGSTOP): it is continued'
      : 'it does not answer, neither its control plane nor its clients';
    if (status.reason !== reason) become({ reason });
  }

  return {
    async start() {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      socketPath = adminSocketPath(folder);
      handoverPath = handoverSocketPath(folder);
      wanted = true;
      const recorded = readRecord(files.record);
      const running = await findRunning();
      const lost = running === undefined && recorded !== undefined && !isAlive(recorded.process);
      let movedFrom: Address | undefined;
      if (running === undefined) {
        if (former.get() === undefined) await options.mayListen();
        launch();
      } else {
        movedFrom = await meetClients();
        current = running;
        logFrom = recorded?.logFrom ?? sizeOf(files.log);
        const { process, startedAt } = running;
        become({
          state: 'running',
          pid: process.pid,
          adopted: true,
          startedAt,
          reason: '',
          former: formerStatus(),
          outdated: outdated(),
        });
        log.info({ pid: running.process.pid }, 'Envoy was found running and is kept');
      }
      lookout.begin();
      return { movedFrom, lost };
    },
    status: () => status,
    identity: () => (current === undefined ? '' : textOf(current.process)),
    formerIdentity() {
      const one = former.get();
      return one === undefined ? '' : textOf(one.process);
    },
    whyOutdated() {
      const before = startedForOf(readRecord(files.record)?.bootstrap ?? '');
      if (current === undefined || before === options.startedFor) return undefined;
      return before === undefined
        ? 'it was started by an earlier version'
        : `it was started with other settings: ${outdated().join(', ')}`;
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    openSessions: async () => openSessions(socketPath).catch(() => undefined),
    admin: async (path, request) => admin(socketPath, path, request),
    whyNotReplace,
    sessionsEndWithinMs() {
      const args = current === undefined ? undefined : argumentsOf(current.process);
      return args === undefined ? undefined : endsWithinMs(args);
    },
    async replace({ untilMs }) {
      const refused = whyNotReplace();
      const old = current;
      if (refused !== undefined || old?.generation === undefined) throw new Error(refused?.message ?? 'none runs');
      replacing = true;
      try {
        const text = JSON.stringify(options.bootstrap(socketPath), undefined, 2);
        const draft = `${files.bootstrap}.new`;
        writeFileSync(draft, text, { mode: 0o600 });
        // Once it has asked the old one, that has no admin socket any more: what can be known before must be.
        await run(options.binary, ['--mode', 'validate', '--config-path', draft, '--log-level', 'error'], { env: {} });
        rmSync(draft);
        await makeRoom(old);
        const generation = { ...old.generation, epoch: old.generation.epoch + 1 };
        if (old.generation.epoch > 0) await standIn(options.binary, old.generation, handoverPath);
        await replaceBy(text, old, generation, untilMs === undefined ? null : new Date(now() + untilMs).toISOString());
      } finally {
        replacing = false;
      }
    },
    async stop({ drainMs }) {
      wanted = false;
      lookout.end();
      const ending = current;
      if (ending === undefined) return;
      const limit = now() + drainMs;
      if (drainMs > 0) {
        become({ state: 'draining' });
        await admin(socketPath, '/drain_listeners', { method: 'POST' }).catch(() => undefined);
        const isEmpty = async (): Promise<boolean> =>
          former.isIdle() && (await openSessions(socketPath).catch(() => 0)) === 0;
        while (now() < limit && isAlive(ending.process) && !(await isEmpty())) await sleep(200);
      }
      former.end();
      if (isAlive(ending.process)) signalProcess(ending.process.pid, 'SIGTERM');
      for (let round = 0; round < 100 && isAlive(ending.process); round += 1) await sleep(50);
      if (isAlive(ending.process)) signalProcess(ending.process.pid, 'SIGKILL');
      rmSync(files.record, { force: true });
      if (ending.generation !== undefined) forget(ending.generation, handoverPath);
      current = undefined;
      become({ state: 'stopped', pid: null, former: null });
    },
    close() {
      wanted = false;
      lookout.end();
      listeners.clear();
      current = undefined;
    },
  };
}
