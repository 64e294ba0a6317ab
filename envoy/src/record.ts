/** `envoy.json`: which Envoy runs here, so that it is found again; and the end of its log, to tell why it ended. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import type { Address } from './bootstrap.ts';
import type { Generation } from './handover.ts';
import type { ProcessIdentity } from './identity.ts';

export const RECORD = 'envoy.json';

/** One that has handed over, and serves on what it has open. */
export interface Former {
  readonly process: ProcessIdentity;
  /** Where its clients have come in. */
  readonly ports: readonly number[];
  /** Absent: as that of the one that took over. */
  readonly bootstrap?: string;
  /** When it handed over. */
  readonly since: string;
  /** What is open then is ended; null: never. */
  readonly until: string | null;
}

export interface EnvoyRecord {
  readonly process: ProcessIdentity;
  readonly startedAt: string;
  readonly bootstrap: string;
  /** See EnvoyOptions. These are absent in records of earlier versions. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly client?: Address;
  readonly alsoAt?: readonly Address[];
  /** Wherever its clients have come in; those of listeners that it has no more still have their sessions. */
  readonly ports?: readonly number[];
  /** Absent: it was started by a version that could not hand over, or on a system where it can't. */
  readonly generation?: Generation;
  readonly former?: Former | null;
  /** So many bytes stood in the log when it was started: what others wrote. */
  readonly logFrom?: number;
}

export function readRecord(file: string): EnvoyRecord | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as EnvoyRecord;
  } catch {
    return undefined;
  }
}

export function writeRecord(file: string, record: EnvoyRecord): void {
  writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

const LARGEST_LOG = 10 * 1024 * 1024;

export function keepLogSmall(file: string): void {
  if (!existsSync(file) || statSync(file).size <= LARGEST_LOG) return;
  copyFileSync(file, `${file}.1`);
  truncateSync(file, 0);
}

const FAILURE = /critical|error|cannot|exception/i;
/** What Envoy goes on after, such as a control plane that is away for a moment. */
const IN_PASSING = /^\[[^\]]*\]\[\d+\]\[(warning|info|debug|trace)\]/;

export const sizeOf = (file: string): number => (existsSync(file) ? statSync(file).size : 0);

/** The last line after the first `from` bytes that tells of a failure; empty: there is none. */
export function lastFailure(log: string, from: number): string {
  if (!existsSync(log)) return '';
  const file = openSync(log, 'r');
  try {
    const { size } = fstatSync(file);
    // It may have been cut meanwhile.
    const length = Math.min(8192, from > size ? size : size - from);
    const buffer = Buffer.alloc(length);
    readSync(file, buffer, 0, length, size - length);
    const lines = buffer
      .toString('utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
    const telling = lines.findLast((line) => FAILURE.test(line) && !IN_PASSING.test(line)) ?? '';
    return telling.trim().slice(0, 500);
  } finally {
    closeSync(file);
  }
}
