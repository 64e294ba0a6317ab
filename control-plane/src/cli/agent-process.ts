/**
 * The agent that `switchboard run` wraps: started in a group of its own, its output passed through, ended politely and then not, also
 * when the wrapper itself has been killed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { programProblem } from '../home/program.ts';
import { SwitchboardError } from '../model/errors.ts';
import { fillTemplate, type TemplateValues } from '../model/template.ts';
import { environment } from './settings.ts';
import { startWarden } from './warden.ts';

export interface AgentProcess {
  readonly child: ChildProcess;
  /** Its exit code; 128 and more for a signal. */
  readonly ended: Promise<number>;
  stop(): Promise<void>;
}

const SIGNAL_BASE = 128;

/** `graceMs`: from SIGTERM to SIGKILL. */
export async function startAgent(
  command: readonly string[],
  values: Readonly<Partial<TemplateValues>>,
  graceMs: number,
): Promise<AgentProcess> {
  const [program = '', ...args] = command.map((part) => fillTemplate(part, values));
  const problem = programProblem(program, { cwd: process.cwd(), path: environment['PATH'] });
  if (problem !== undefined) throw new SwitchboardError('invalid', `cannot start ${program}: ${problem}`);
  // Before the agent: whatever happens to this process then, somebody knows of it.
  const warden = startWarden(graceMs);
  // A group of its own can't read the terminal: it would be stopped for trying.
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
  if (child.pid !== undefined) warden.guard(child.pid);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(new SwitchboardError('invalid', `cannot start ${program}: ${cause.message}`, { cause }));
    });
  }).catch(async (error: unknown) => {
    await warden.release();
    throw error;
  });
  const ended = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(code ?? SIGNAL_BASE + (signal === null ? 0 : constants.signals[signal]));
    });
  });
  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-(child.pid ?? 0), signal);
    } catch {
      // The group is gone.
    }
  };
  return {
    child,
    ended,
    async stop() {
      signalGroup('SIGTERM');
      // A timer that nobody waits for must not keep the wrapper.
      await Promise.race([ended, sleep(graceMs, undefined, { ref: false })]);
      signalGroup('SIGKILL');
      await ended;
      await warden.release();
    },
  };
}

/** Resolves when something listens; false when the signal came first. */
export async function untilListening(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port });
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
    });
    if (open) return true;
    await sleep(100);
  }
  return false;
}
