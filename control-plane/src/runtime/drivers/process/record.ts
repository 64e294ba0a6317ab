/** What is kept on disk of each running agent, so that it is found again: one small file, written whole or not at all. */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { reachableHost } from '../../../model/listen-host.ts';
import { ProcessIdentity } from '../../../model/instance.ts';
import { Address, Launch } from '../../../model/service.ts';
import type { Running } from '../../runtime.ts';
import { identify, isAlive } from '../../../home/process-identity.ts';

export interface AgentRecord extends Running {
  readonly memoryLimit: number | null;
  readonly processLimit: number | null;
  /** What it was started with, for commands beside it; its version may be forgotten by then. Absent: an earlier version has started it. */
  readonly launch?: Launch | undefined;
}

/** What others are told of it. */
export const runningOf = ({ instance, service, version, address, process, startedAt }: AgentRecord): Running => ({
  instance,
  service,
  version,
  address,
  process,
  startedAt,
});

/** A record that was damaged is as good as none: the process is then known by its marks. */
const Recorded = z.object({
  instance: z.string(),
  service: z.string(),
  version: z.number(),
  address: Address,
  process: ProcessIdentity,
  startedAt: z.string(),
  memoryLimit: z.number().nullable(),
  processLimit: z.number().nullable().default(null),
  launch: Launch.optional().catch(undefined),
});

const file = (folder: string, instance: string): string => join(folder, instance, 'process.json');

export function writeRecord(folder: string, record: AgentRecord): void {
  const target = file(folder, record.instance);
  mkdirSync(join(folder, record.instance), { recursive: true, mode: 0o700 });
  writeFileSync(`${target}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${target}.new`, target);
}

export function removeRecord(folder: string, instance: string): void {
  rmSync(file(folder, instance), { force: true });
}

function readRecord(folder: string, instance: string): AgentRecord | undefined {
  try {
    return Recorded.parse(JSON.parse(readFileSync(file(folder, instance), 'utf8')));
  } catch {
    return undefined;
  }
}

/**
 * Every agent of this folder that runs now: from its record, or, where there is none that can be read (the control plane ended before it
 * could write one), from the process itself. `ended`: those whose record names a process that has gone.
 */
export function findRunning(folder: string): { running: AgentRecord[]; ended: string[] } {
  const found = new Map<string, AgentRecord>();
  const ended: string[] = [];
  for (const instance of directoriesIn(folder)) {
    const record = readRecord(folder, instance);
    if (record === undefined) continue;
    // A copy of the folder has the same records, but those agents are not its own; one that was moved has its own.
    if (isAlive(record.process) && isOurs(record.process.pid, folder)) found.set(instance, record);
    else ended.push(instance);
  }
  for (const record of findUnrecorded(folder, new Set([...found.keys(), ...ended]))) {
    found.set(record.instance, record);
    writeRecord(folder, record);
  }
  return { running: [...found.values()], ended };
}

export function directoriesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Variables that mark an agent's process as ours; its first process leads its group. */
export const MARKS = {
  folder: 'SWITCHBOARD_FOLDER',
  instance: 'SWITCHBOARD_INSTANCE',
  service: 'SWITCHBOARD_SERVICE',
  version: 'SWITCHBOARD_VERSION',
  host: 'SWITCHBOARD_HOST',
  port: 'SWITCHBOARD_PORT',
} as const;

/** A process that left its agent's session leads a group of its own too, but its agent started before it: the oldest is the agent. */
function findUnrecorded(folder: string, known: ReadonlySet<string>): AgentRecord[] {
  const oldest = new Map<string, { record: AgentRecord; ticks: number }>();
  for (const name of directoriesIn('/proc')) {
    const pid = Number(name);
    if (!/^\d+$/.test(name)) continue;
    const marks = marksOf(pid);
    const instance = marks?.get(MARKS.instance);
    if (marks?.get(MARKS.folder) !== folder || instance === undefined || known.has(instance)) continue;
    const process = leaderIdentity(pid);
    const port = Number(marks.get(MARKS.port));
    if (process === undefined || !Number.isInteger(port)) continue;
    const record = {
      instance,
      service: marks.get(MARKS.service) ?? '',
      version: Number(marks.get(MARKS.version)),
      address: { host: reachableHost(marks.get(MARKS.host) ?? '127.0.0.1'), port },
      process,
      startedAt: new Date().toISOString(),
      memoryLimit: null,
      processLimit: null,
    };
    const ticks = Number(process.startTime.split('-')[1]);
    const other = oldest.get(instance);
    if (other === undefined || ticks < other.ticks) oldest.set(instance, { record, ticks });
  }
  return [...oldest.values()].map(({ record }) => record);
}

/** Where processes can't be looked into, the record alone has to do. */
function isOurs(pid: number, folder: string): boolean {
  const marks = marksOf(pid);
  return marks === undefined || isMarkOf(marks, folder);
}

/** They name this folder, or the place from which it was moved: nothing is there any more. */
export function isMarkOf(marks: ReadonlyMap<string, string>, folder: string): boolean {
  const named = marks.get(MARKS.folder);
  return named === folder || (named !== undefined && !existsSync(named));
}

/** Only the leader of a group: a child inherits the marks, but is not the agent. */
function leaderIdentity(pid: number): ProcessIdentity | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const group = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[2]);
    return group === pid ? identify(pid) : undefined;
  } catch {
    return undefined;
  }
}

export function marksOf(pid: number): Map<string, string> | undefined {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .filter((entry) => entry.startsWith('SWITCHBOARD_'));
    return new Map(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
  } catch {
    return undefined;
  }
}
