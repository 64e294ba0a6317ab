/** The agent that `switchboard run` wraps: started in a group of its own, its output passed through, ended politely and then not. */
import { spawn, type ChildProcess } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { SwitchboardError } from '../model/errors.ts';

export interface AgentProcess {
  readonly child: ChildProcess;
  /** Its exit code; 128 and more for a signal. */
  readonly ended: Promise<number>;
  stop(graceMs: number): Promise<void>;
}

const SIGNAL_BASE = 128;

export async function pickPort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('no port was given'));
      });
    });
  });
}

export async function startAgent(
  command: readonly string[],
  values: Readonly<Record<string, string>>,
): Promise<AgentProcess> {
  const [program = '', ...args] = command.map((part) =>
    part.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole),
  );
  // A group of its own can't read the terminal: it would be stopped for trying.
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(new SwitchboardError('invalid', `cannot start ${program}: ${cause.message}`, { cause }));
    });
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
    async stop(graceMs) {
      signalGroup('SIGTERM');
      await Promise.race([ended, sleep(graceMs)]);
      signalGroup('SIGKILL');
      await ended;
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
