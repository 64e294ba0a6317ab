/**
 * Limits of a process that need no privileges. `nice` and `prlimit` set theirs and then become the agent's program, so the
 * process, its pid and its group are the agent's from the start. The number of processes is watched instead: the kernel's own limit
 * (RLIMIT_NPROC) counts all of a user's processes, not the agent's, and does not hold for root.
 */
import { readFileSync } from 'node:fs';
import type { Limits } from '../../../model/service.ts';

/** Each step of niceness is worth a quarter less of a busy processor. More than everybody's share would need privileges. */
export function niceness(cpuWeight: number): number {
  return Math.max(0, Math.min(19, Math.round(Math.log(100 / cpuWeight) / Math.log(1.25))));
}

export interface Wrapper {
  readonly program: string;
  /** The field that asks for it. */
  readonly field: string;
  readonly args: readonly string[];
}

/** Programs to start the agent through, outermost first. */
export function wrappersOf(limits: Limits | undefined): Wrapper[] {
  const wrappers: Wrapper[] = [];
  const nice = niceness(limits?.cpuWeight ?? 100);
  if (nice > 0) wrappers.push({ program: 'nice', field: 'cpuWeight', args: ['-n', String(nice)] });
  if (limits?.openFiles !== undefined)
    wrappers.push({
      program: 'prlimit',
      field: 'openFiles',
      args: [`--nofile=${limits.openFiles}:${limits.openFiles}`, '--'],
    });
  return wrappers;
}

/** How often the kernel has ended a process of this machine for want of memory; undefined where it does not tell. */
export function outOfMemoryKills(): number | undefined {
  try {
    const found = /^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'));
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}
