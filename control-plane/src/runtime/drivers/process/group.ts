/** A process group: an agent with everything that it started. The group's id is the pid of its first process. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceUsage } from '../../runtime.ts';
import { readStat, startTimeOf } from '../../../home/process-identity.ts';

const LINUX = process.platform === 'linux';

/** False: there is no such group any more. */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    // EPERM on macOS: only zombies are left.
    if ((error as NodeJS.ErrnoException).code === 'EPERM') return false;
    throw error;
  }
}

/** True when no member runs; a zombie that nobody has reaped yet does not run. */
function groupIsGone(group: number): boolean {
  if (!signalGroup(group, 0)) return true;
  // While its first process runs there is no need to look through all of /proc.
  return LINUX && startTimeOf(group) === undefined && membersOf(new Set([group])).size === 0;
}

export async function untilGone(group: number, timeoutMs: number): Promise<boolean> {
  const limit = Date.now() + timeoutMs;
  for (let pause = 5; ; pause = Math.min(pause * 2, 250)) {
    if (groupIsGone(group)) return true;
    if (Date.now() >= limit) return false;
    await sleep(Math.min(pause, Math.max(1, limit - Date.now())));
  }
}

/** Processor time and resident bytes of each of the groups, in one pass over /proc; a group without members is left out. Empty where there is no /proc. */
export function membersOf(groups: ReadonlySet<number>): Map<number, ResourceUsage> {
  const sums = new Map<number, ResourceUsage>();
  if (!LINUX || groups.size === 0) return sums;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat === undefined || stat.state === 'Z' || !groups.has(stat.group)) continue;
    const sum = sums.get(stat.group) ?? { cpuMs: 0, memoryBytes: 0, processes: 0 };
    sums.set(stat.group, {
      cpuMs: sum.cpuMs + stat.cpuMs,
      memoryBytes: sum.memoryBytes + stat.residentBytes,
      processes: sum.processes + 1,
    });
  }
  return sums;
}
