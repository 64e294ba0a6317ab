/**
 * Envoy's hot restart: a new process takes the listening sockets over from the one before, which serves on what it has open. So no connect is refused
 * and no session ends when Envoy is replaced. Linux only.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/operations/hot_restart
 *
 * Envoy has a trap here: a process that took over ABORTS when it is itself replaced after its predecessor was ended by anybody but it, since it
 * tells that predecessor to end. We end the predecessor ourselves, once it is empty, so something must listen in its place at that
 * moment: an Envoy without any configuration, which ends when it is told to (`standIn`).
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Generation {
  /** What processes that hand over to each other have in common; no other Envoy of the machine may have it. */
  readonly baseId: number;
  /** 0 for the first. */
  readonly epoch: number;
}

/** Envoy multiplies it by ten, and keeps it in 32 bits. */
const HIGHEST_BASE = 200_000_000;
/** Of its sockets; it takes turns with them. */
const SLOTS = 3;
/** What is open is ended by us, never by Envoy's clock. */
const A_YEAR_S = 31_536_000;
const STAND_IN_MS = 5_000;

/** It keeps a little in shared memory, and does not start where there is none. */
export function canHandOver(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    accessSync('/dev/shm', constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

export const firstGeneration = (): Generation => ({ baseId: randomInt(1, HIGHEST_BASE), epoch: 0 });

const slot = ({ baseId, epoch }: Generation): string => String(baseId * 10 + (epoch % SLOTS));

export function handoverArguments(generation: Generation | undefined, socketPath: string): string[] {
  if (generation === undefined) return ['--disable-hot-restart'];
  const { baseId, epoch } = generation;
  return [
    ...['--base-id', String(baseId), '--restart-epoch', String(epoch)],
    ...['--socket-path', socketPath, '--socket-mode', '600'],
    ...['--parent-shutdown-time-s', String(A_YEAR_S)],
    // Statistics are of one process each: merging them asks the predecessor, which may be gone.
    '--skip-hot-restart-parent-stats',
  ];
}

/**
 * A listener that is changed or removed, and a process that has handed over, serve on what they have open, for as long as that lasts; by default Envoy
 * ends all of it after ten minutes. A plain connection is asked to go with its next answer.
 */
export const DRAIN_ARGUMENTS: readonly string[] = ['--drain-time-s', String(A_YEAR_S), '--drain-strategy', 'immediate'];

/** Of Envoy itself, where it is not told another. */
const DRAIN_S = 600;

/**
 * Once another has taken over from an Envoy with these arguments, it ends by itself within this time what it has open, one session after the
 * other; undefined: it does not.
 */
export function endsWithinMs(args: readonly string[]): number | undefined {
  const at = args.indexOf('--drain-time-s');
  const seconds = at === -1 ? DRAIN_S : Number(args[at + 1]);
  return seconds >= A_YEAR_S ? undefined : seconds * 1_000;
}

/** Removes what a line of processes leaves behind. */
export function forget({ baseId }: Generation, socketPath: string): void {
  rmSync(`/dev/shm/envoy_shared_memory_${baseId * 10}`, { force: true });
  const prefix = `${socketPath}_`;
  for (const name of readdirSync(dirname(socketPath))) {
    const path = join(dirname(socketPath), name);
    if (path.startsWith(prefix) && new RegExp(`_${baseId}\\d$`).test(name)) rmSync(path, { force: true });
  }
}

/** Listens where the predecessor of this generation did, until it is told to end. Throws when that can not be. */
export async function standIn(binary: string, of: Generation, socketPath: string): Promise<void> {
  const own = firstGeneration();
  const ownPath = `${socketPath}-stand-in`;
  const child = spawn(
    binary,
    [...['--config-yaml', '{}', '--concurrency', '1', '--log-level', 'off'], ...handoverArguments(own, ownPath)],
    { stdio: 'ignore', env: {} },
  );
  let problem = '';
  child.once('error', (error) => (problem = error.message));
  child.unref();
  const made = `${ownPath}_parent_${slot(own)}`;
  for (let waited = 0; waited < STAND_IN_MS && !existsSync(made) && problem === ''; waited += 20) await sleep(20);
  if (!existsSync(made)) {
    child.kill('SIGKILL');
    throw new Error(`no Envoy can stand in for the one before${problem === '' ? '' : `: ${problem}`}`);
  }
  // A socket keeps its listener when its file gets another name.
  renameSync(made, `${socketPath}_parent_${slot({ ...of, epoch: of.epoch + SLOTS - 1 })}`);
  child.once('exit', () => {
    forget(own, ownPath);
  });
  // It is told to end within a second; whatever happens, it does not stay.
  setTimeout(() => child.kill('SIGKILL'), 60_000).unref();
}

const LISTENING = '0A';

/** More open files than this: it has connections, and counting them would cost too much. */
const MANY = 500;

/** Whether the process has a connection at one of these local ports: of a client, if the ports are those of its listeners. */
export function hasClients(pid: number, ports: readonly number[]): boolean {
  const files = readdirSync(`/proc/${pid}/fd`);
  return (
    files.length > MANY || socketsOf(pid, files).some(({ port, state }) => state !== LISTENING && ports.includes(port))
  );
}

/** Where the process listens by TCP; none where that can't be known. */
export function listeningPorts(pid: number): number[] {
  if (process.platform !== 'linux' || !existsSync(`/proc/${pid}/fd`)) return [];
  const listening = socketsOf(pid, readdirSync(`/proc/${pid}/fd`)).filter(({ state }) => state === LISTENING);
  return [...new Set(listening.map(({ port }) => port))];
}

/** Its TCP sockets: local port, and the kernel's number of the state. */
function socketsOf(pid: number, files: readonly string[]): { readonly port: number; readonly state: string }[] {
  const sockets = new Set<string>();
  for (const file of files) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${file}`))?.[1];
      if (inode !== undefined) sockets.add(inode);
    } catch {
      // Closed meanwhile.
    }
  }
  return ['tcp', 'tcp6'].flatMap((table) => {
    const file = `/proc/${pid}/net/${table}`;
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, address = '', , state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
        return sockets.has(inode)
          ? [{ port: Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16), state }]
          : [];
      });
  });
}
