/** A process by pid and start time. The same idea as in the process runtime; this package stands alone. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

let bootId: string | undefined;

/** The same as long as this process lives, and asked for at every look at an Envoy. */
const boot = (): string => (bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8));

export function identify(pid: number): ProcessIdentity | undefined {
  try {
    if (process.platform !== 'linux') {
      const text = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
      return text === '' || text.startsWith('Z') ? undefined : { pid, startTime: text.replace(/^\S+\s+/, '') };
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : { pid, startTime: `${boot()}-${fields[19] ?? ''}` };
  } catch {
    return undefined;
  }
}

/** A signal has stopped it (SIGSTOP), until it is continued. */
export function isStopped({ pid }: ProcessIdentity): boolean {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('T');
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.charAt(stat.lastIndexOf(')') + 2) === 'T';
  } catch {
    return false;
  }
}

/** What it was started with; undefined: that can't be known. */
export function argumentsOf({ pid }: ProcessIdentity): readonly string[] | undefined {
  try {
    return process.platform === 'linux' ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0') : undefined;
  } catch {
    return undefined;
  }
}

export function isAlive(known: ProcessIdentity): boolean {
  return identify(known.pid)?.startTime === known.startTime;
}

/** Processes whose command line holds this argument, the newest first: how an Envoy is found whose starter died before it could note the pid. */
export function findByArgument(argument: string): ProcessIdentity[] {
  if (process.platform !== 'linux') return [];
  const found: ProcessIdentity[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').includes(argument)) continue;
    } catch {
      continue;
    }
    const identity = identify(Number(name));
    if (identity !== undefined) found.push(identity);
  }
  const ticks = ({ startTime }: ProcessIdentity): number => Number(startTime.slice(startTime.lastIndexOf('-') + 1));
  return found.sort((a, b) => ticks(b) - ticks(a));
}
