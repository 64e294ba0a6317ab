/**
 * Who a process is: its pid and when it started, since pids are used again. On Linux from /proc (start time in clock ticks
 * since boot, with the boot's id); elsewhere from `ps`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { ProcessIdentity } from '../model/instance.ts';

const LINUX = process.platform === 'linux';
let bootId: string | undefined;

function boot(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().slice(0, 8);
  return bootId;
}

export interface ProcessStat {
  /** One letter: R, S, T (stopped), Z (zombie) ... */
  readonly state: string;
  readonly group: number;
  readonly startTime: string;
  readonly residentBytes: number;
  /** User and system time of the process and of its children that have ended. */
  readonly cpuMs: number;
}

const PAGE = 4096;
/** USER_HZ is 100 on every Linux that Node runs on. */
const TICK_MS = 10;

/** What /proc/<pid>/stat tells; undefined: no such process. The name in parentheses may hold any character. */
export function readStat(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return {
      state: fields[0] ?? '',
      group: Number(fields[2]),
      startTime: `${boot()}-${fields[19] ?? ''}`,
      residentBytes: Number(fields[21]) * PAGE,
      cpuMs: (Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])) * TICK_MS,
    };
  } catch {
    return undefined;
  }
}

/** When the process started, as an opaque text; undefined: it does not run (a zombie does not run). */
export function startTimeOf(pid: number): string | undefined {
  if (LINUX) {
    const stat = readStat(pid);
    return stat === undefined || stat.state === 'Z' ? undefined : stat.startTime;
  }
  try {
    const text = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return text === '' || text.startsWith('Z') ? undefined : text.replace(/^\S+\s+/, '');
  } catch {
    return undefined;
  }
}

export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** True while this very process runs. */
export function isAlive(process: ProcessIdentity): boolean {
  return startTimeOf(process.pid) === process.startTime;
}

/** True if the pid is now another process's: its group must not be signalled. */
export function isTakenByAnother(process: ProcessIdentity): boolean {
  const present = startTimeOf(process.pid);
  return present !== undefined && present !== process.startTime;
}

export function ownIdentity(): ProcessIdentity {
  const self = identify(process.pid);
  if (self === undefined) throw new Error('this process can not find itself');
  return self;
}
