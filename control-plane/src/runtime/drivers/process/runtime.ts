/**
 * The process runtime: each instance is a process of its own group, detached, so that it outlives the control plane. What runs
 * is found again from records and marks; a process is only ever signalled if its pid and start time are those recorded.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { reachableHost } from '../../../model/listen-host.ts';
import { messageOf, SwitchboardError } from '../../../model/errors.ts';
import { sizeBytes } from '../../../model/units.ts';
import type { ExitCause, Running, Runtime, RuntimeDriver, RuntimeEvent, StartRequest } from '../../runtime.ts';
import { checkProcess, missingOf, templatesOf } from './check.ts';
import { membersOf, signalGroup, untilGone } from './group.ts';
import { identify, isAlive, isTakenByAnother } from '../../../home/process-identity.ts';
import { createLeftovers } from './leftovers.ts';
import { outOfMemoryKills, wrappersOf } from './limits.ts';
import { mark, watchArrivals } from './arrivals.ts';
import { STREAMS, lastWords, logFile, readLogs } from './logs.ts';
import { rotate, type Rotations } from './rotation.ts';
import { folderProblem, programProblem } from '../../../home/program.ts';
import { directoriesIn, findRunning, runningOf, writeRecord, type AgentRecord } from './record.ts';
import { fillTemplate } from '../../../model/template.ts';
import { runCommand } from './run-command.ts';
import { surroundingsOf } from './surroundings.ts';

const Options = z.strictObject({});
type Options = z.infer<typeof Options>;

const LOOK_MS = 500;
const MEMORY_EVERY_LOOKS = 10;
const ROTATE_EVERY_LOOKS = 4;
const LAST_WORDS = 20;
/** How long after SIGKILL the kernel may take to end a group. */
const KILL_WAIT_MS = 10_000;

interface Agent {
  readonly record: AgentRecord;
  readonly child: ChildProcess | undefined;
  /** Takes down when its lines come. */
  readonly arrivals: readonly { close(): void }[];
  reportedMemory: boolean;
  cause: ExitCause | undefined;
  ended: boolean;
  /** Set while it is being stopped: how its first process ended, once it has. The rest of its group still has its grace. */
  stopping: { code: number | null; signal: string | null } | undefined;
}

/** Our own child stays a zombie until Node has taken notice of its end. */
async function reaped(child: ChildProcess | undefined): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return;
  await once(child, 'exit');
}

function bad(path: string, message: string): SwitchboardError {
  return new SwitchboardError('invalid', `${path}: ${message}`, { issues: [{ path, message }] });
}

/** Before the start, so that the error names the field rather than a system call. */
function checkProblem(path: string, problem: string | undefined): void {
  if (problem !== undefined) throw bad(path, problem);
}

export const processRuntime: RuntimeDriver<Options> = {
  name: 'process',
  options: Options,
  check: checkProcess,
  async create(_options, context): Promise<Runtime> {
    const { folder, host, ports, logs, now, log, environment } = context;
    const agents = new Map<string, Agent>();
    const starting = new Map<string, Promise<Running>>();
    const stopping = new Map<string, Promise<{ killed: boolean }>>();
    const listeners = new Set<(event: RuntimeEvent) => void>();
    const rotations: Rotations = new Map();
    const leftovers = createLeftovers(folder, log);
    let looks = 0;
    let closed = false;
    let kills = outOfMemoryKills();

    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const logsOf = (instance: string): string[] => STREAMS.map((stream) => logFile(join(folder, instance), stream));
    const found = findRunning(folder);
    // What they wrote while nobody looked has no time.
    for (const instance of directoriesIn(folder)) for (const path of logsOf(instance)) mark(path, false);
    for (const instance of found.ended) leftovers.add(instance);
    leftovers.sweep();
    for (const record of found.running) {
      agents.set(record.instance, {
        record,
        child: undefined,
        arrivals: logsOf(record.instance).map(watchArrivals),
        reportedMemory: false,
        cause: undefined,
        ended: false,
        stopping: undefined,
      });
      ports.keep(record.address.port);
    }

    function tell(event: RuntimeEvent): void {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch (error) {
          log.warn({ error }, 'a listener of the runtime failed');
        }
      }
    }

    function wordsOf(instance: string): string[] {
      try {
        return lastWords(join(folder, instance), LAST_WORDS);
      } catch {
        return [];
      }
    }

    /** Called once for each run, whoever notices first. What ends after `close` is for the one that opens the folder next. */
    function ended(agent: Agent, code: number | null, signal: string | null): void {
      if (agent.ended || closed) return;
      agent.ended = true;
      const { instance, process, address } = agent.record;
      if (agents.get(instance) === agent) agents.delete(instance);
      // What the agent started must not live on and hold its port.
      if (!isTakenByAnother(process)) signalGroup(process.pid, 'SIGKILL');
      leftovers.add(instance);
      ports.release(address.port);
      for (const arrivals of agent.arrivals) arrivals.close();
      const cause = agent.cause ?? (signal === 'SIGKILL' && agent.stopping === undefined ? memoryCause() : undefined);
      tell({
        type: 'exited',
        instance,
        process,
        code,
        signal,
        log: wordsOf(instance),
        ...(cause === undefined ? {} : { cause }),
      });
    }

    /** The kernel does not say whom it has killed, only how often: an agent that ends by SIGKILL at such a time was it. */
    function memoryCause(): ExitCause | undefined {
      const before = kills;
      kills = outOfMemoryKills();
      return before === undefined || kills === undefined || kills <= before
        ? undefined
        : { reason: 'OutOfMemory', message: 'the machine ran out of memory' };
    }

    function rotateLogs({ record }: Agent): void {
      try {
        for (const path of logsOf(record.instance)) rotate(path, logs.maxBytes, logs.files, rotations);
      } catch (error) {
        log.warn({ error, instance: record.instance }, 'cannot keep the old part of a log');
      }
    }

    function look(): void {
      looks += 1;
      for (const agent of [...agents.values()]) {
        if (agent.child === undefined && agent.stopping === undefined && !isAlive(agent.record.process))
          ended(agent, null, null);
        if (looks % ROTATE_EVERY_LOOKS === 0) rotateLogs(agent);
      }
      checkProcesses();
      if (looks % MEMORY_EVERY_LOOKS === 0) checkMemory();
    }

    /** A fork bomb doubles faster than it could be drained: the whole group is ended at once. */
    function checkProcesses(): void {
      const limited = [...agents.values()].filter(({ record }) => record.processLimit !== null);
      if (limited.length === 0) return;
      const held = membersOf(new Set(limited.map(({ record }) => record.process.pid)));
      for (const agent of limited) {
        const { process, processLimit } = agent.record;
        const count = held.get(process.pid)?.processes ?? 0;
        if (count <= (processLimit ?? Infinity) || isTakenByAnother(process)) continue;
        agent.cause = {
          reason: 'ProcessLimit',
          message: `it had ${count} processes, more than its limit of ${processLimit ?? 0}`,
        };
        signalGroup(process.pid, 'SIGKILL');
      }
    }

    function checkMemory(): void {
      const limited = [...agents.values()].filter(
        (agent) => agent.record.memoryLimit !== null && !agent.reportedMemory,
      );
      if (limited.length === 0) return;
      const held = membersOf(new Set(limited.map((agent) => agent.record.process.pid)));
      for (const agent of limited) {
        const bytes = held.get(agent.record.process.pid)?.memoryBytes ?? 0;
        const limit = agent.record.memoryLimit ?? Infinity;
        if (bytes <= limit) continue;
        agent.reportedMemory = true;
        tell({ type: 'over-memory', instance: agent.record.instance, bytes, limit });
      }
    }

    const timer = setInterval(() => {
      try {
        look();
      } catch (error) {
        log.warn({ error }, 'cannot look after the agents; trying again');
      }
    }, LOOK_MS);
    timer.unref();

    function checkTemplates({ launch }: StartRequest): void {
      const issues = templatesOf(launch);
      if (issues[0] !== undefined)
        throw new SwitchboardError('invalid', `${issues[0].path}: ${issues[0].message}`, { issues });
    }

    async function stopGroup(agent: Agent, graceMs: number): Promise<{ killed: boolean }> {
      const { process, instance } = agent.record;
      if (!isAlive(process)) {
        ended(agent, null, null);
        return { killed: false };
      }
      agent.stopping = { code: null, signal: null };
      signalGroup(process.pid, 'SIGTERM');
      // A stopped process would see the signal only when it is continued.
      signalGroup(process.pid, 'SIGCONT');
      const killed = !(await untilGone(process.pid, graceMs));
      if (killed) {
        signalGroup(process.pid, 'SIGKILL');
        if (!(await untilGone(process.pid, KILL_WAIT_MS)))
          throw new SwitchboardError('unavailable', `process ${process.pid} of ${instance} does not end`);
      }
      await reaped(agent.child);
      ended(agent, agent.stopping.code, agent.stopping.signal);
      return { killed };
    }

    async function launch(request: StartRequest, signal: AbortSignal): Promise<Running> {
      checkTemplates(request);
      leftovers.sweep();
      const own = join(folder, request.instance);
      const port = await ports.take();
      try {
        signal.throwIfAborted();
        const { values, workdir, cwd, env } = surroundingsOf(request, { folder, host, port, environment });
        mkdirSync(workdir, { recursive: true, mode: 0o700 });
        checkProblem('spec.launch.cwd', folderProblem(cwd));
        const [program = '', ...args] = (request.launch.command ?? []).map((part) => fillTemplate(part, values));
        const where = { cwd, path: env['PATH'] };
        checkProblem('spec.launch.command.0', programProblem(program, where));
        const wrappers = wrappersOf(request.launch.limits);
        for (const one of wrappers) checkProblem(`spec.launch.limits.${one.field}`, programProblem(one.program, where));
        const [first = program, ...rest] = [...wrappers.flatMap((one) => [one.program, ...one.args]), program, ...args];
        const files = STREAMS.map((stream) => openSync(logFile(own, stream), 'a', 0o600));
        let child: ChildProcess;
        try {
          child = spawn(first, rest, {
            cwd,
            env: { ...env },
            detached: true,
            stdio: ['ignore', files[0] ?? 'ignore', files[1] ?? 'ignore'],
          });
        } finally {
          for (const file of files) closeSync(file);
        }
        return await took(request, child, port);
      } catch (error) {
        ports.release(port);
        throw error;
      }
    }

    async function took(request: StartRequest, child: ChildProcess, port: number): Promise<Running> {
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', (cause) => {
          reject(bad('spec.launch.command.0', `cannot be started: ${cause.message}`));
        });
      });
      // Not yet reaped even if it has ended already, so it can be identified; a zombie is named by its pid alone.
      const pid = child.pid ?? 0;
      const record: AgentRecord = {
        instance: request.instance,
        service: request.service,
        version: request.version,
        address: { host: reachableHost(host), port },
        process: identify(pid) ?? { pid, startTime: 'ended' },
        startedAt: new Date(now()).toISOString(),
        memoryLimit: request.launch.memoryLimit === undefined ? null : sizeBytes(request.launch.memoryLimit),
        processLimit: request.launch.limits?.processes ?? null,
        launch: request.launch,
      };
      const agent: Agent = {
        record,
        child,
        arrivals: logsOf(record.instance).map(watchArrivals),
        reportedMemory: false,
        cause: undefined,
        ended: false,
        stopping: undefined,
      };
      agents.set(request.instance, agent);
      child.unref();
      child.once('exit', (code, signal) => {
        if (agent.stopping === undefined) ended(agent, code, signal);
        else agent.stopping = { code, signal };
      });
      if (child.exitCode !== null || child.signalCode !== null) ended(agent, child.exitCode, child.signalCode);
      else {
        try {
          writeRecord(folder, record);
        } catch (cause) {
          // Without a record it could be lost, and its port given to another.
          signalGroup(pid, 'SIGKILL');
          await untilGone(pid, KILL_WAIT_MS);
          ended(agent, null, 'SIGKILL');
          throw new SwitchboardError('unavailable', `cannot write the record of ${request.instance}`, {
            remedy: 'Free space on the disk that holds the data folder.',
            cause,
          });
        }
      }
      return runningOf(record);
    }

    return {
      missing: (launch) => missingOf(launch, environment),
      async start(request, signal) {
        await stopping.get(request.instance)?.catch(() => undefined);
        const running = agents.get(request.instance);
        if (running !== undefined) return runningOf(running.record);
        let promise = starting.get(request.instance);
        if (promise === undefined) {
          promise = launch(request, signal).finally(() => starting.delete(request.instance));
          starting.set(request.instance, promise);
        }
        return promise;
      },
      async stop(instance, { graceMs }) {
        await starting.get(instance)?.catch(() => undefined);
        const agent = agents.get(instance);
        if (agent === undefined) return { killed: false };
        const promise = stopping.get(instance) ?? stopGroup(agent, graceMs).finally(() => stopping.delete(instance));
        stopping.set(instance, promise);
        return promise;
      },
      async run(request, command, { timeoutMs }) {
        const agent = agents.get(request.instance);
        if (agent === undefined) return { ok: false, message: 'was not run: the instance has ended' };
        try {
          const { address, launch = request.launch } = agent.record;
          if (launch === undefined) return { ok: false, message: 'was not run: what it was started with is not known' };
          const started = { ...request, launch: { ...launch, env: { ...launch.env, ...request.env } } };
          const surroundings = surroundingsOf(started, { folder, host, port: address.port, environment });
          return await runCommand(command, surroundings, logsOf(request.instance), timeoutMs);
        } catch (error) {
          return { ok: false, message: `can not be run: ${messageOf(error)}` };
        }
      },
      list: async () => [...agents.values()].map((agent) => runningOf(agent.record)),
      watch(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      async usage() {
        const groups = new Map([...agents.values()].map(({ record }) => [record.process.pid, record.instance]));
        const held = membersOf(new Set(groups.keys()));
        return new Map([...held].map(([group, usage]) => [groups.get(group) ?? '', usage]));
      },
      logs: (instance, read) => readLogs(join(folder, instance), read, rotations),
      async remove(instance) {
        if (agents.has(instance)) throw new SwitchboardError('conflict', `instance ${instance} is running`);
        leftovers.sweep();
        for (const path of logsOf(instance)) rotations.delete(path);
        rmSync(join(folder, instance), { recursive: true, force: true });
      },
      async close() {
        closed = true;
        clearInterval(timer);
        for (const { arrivals } of agents.values()) for (const one of arrivals) one.close();
        leftovers.sweep();
        listeners.clear();
      },
    };
  },
};
