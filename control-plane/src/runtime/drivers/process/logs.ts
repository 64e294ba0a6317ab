/**
 * Agents write straight into files, opened for appending: no pipe that fills up and freezes them, none that breaks when the
 * control plane ends. The process holds the descriptor, so a file can't be renamed away; it is copied and then cut to nothing, and
 * goes on at its new end. Lines written between the last read and the cut are lost; the gap is a few microseconds. Of a flood only the end
 * is copied, with a line that says so: a turn of the event loop never copies more than some tens of megabytes.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import type { LogLine } from '../../../model/log-line.ts';

export const STREAMS = ['stdout', 'stderr'] as const;
type Stream = (typeof STREAMS)[number];

const CHUNK = 64 * 1024;
const LONGEST_LINE = 64 * 1024;
const FOLLOW_POLL_MS = 150;

export const logFile = (folder: string, stream: Stream): string => join(folder, `${stream}.log`);

/** What this process has rotated of a file, so that who follows it finds what it had not read yet in the older files. */
interface Rotated {
  readonly count: number;
  /** Of the last ones, newest last: how much further on a line lies in the older file than it lay in the file itself; negative where its start was dropped. */
  readonly shifts: readonly number[];
}
export type Rotations = Map<string, Rotated>;

/** Copied in one turn of the event loop this takes some 20 ms. */
const FLOOD_BYTES = 32 * 1024 * 1024;

/** Rotates `stdout.log` to `stdout.log.1` and so on when it is larger than `maxBytes`; keeps `files` in all. Beyond `flood` bytes only the end is kept. */
export function rotate(
  path: string,
  maxBytes: number,
  files: number,
  rotations: Rotations,
  flood = Math.max(FLOOD_BYTES, 2 * maxBytes),
): void {
  let size: number;
  try {
    size = statSync(path).size;
  } catch {
    return;
  }
  if (size <= maxBytes) return;
  const source = openSync(path, 'r+');
  let shift = 0;
  try {
    if (files > 1) shift = keepOld(path, source, maxBytes, files, flood);
  } catch (error) {
    rmSync(`${path}.copy`, { force: true });
    throw error;
  } finally {
    // On a full disk too, or it would fill what is left.
    ftruncateSync(source, 0);
    closeSync(source);
    const { count = 0, shifts = [] } = rotations.get(path) ?? {};
    rotations.set(path, { count: count + 1, shifts: [...shifts, shift].slice(-files) });
  }
}

/** Copies the end of the log, and moves the older files only when that is done. Gives the shift of its lines. */
function keepOld(path: string, source: number, maxBytes: number, files: number, flood: number): number {
  const target = openSync(`${path}.copy`, 'w', 0o600);
  try {
    const { size } = fstatSync(source);
    const from = size > flood ? nextLine(source, size - maxBytes) : 0;
    const note = from === 0 ? '' : `(${from} bytes were dropped: more was written than is kept)\n`;
    writeSync(target, note);
    const end = copy(source, from, target, size);
    for (let index = files - 2; index >= 1; index -= 1)
      if (existsSync(`${path}.${index}`)) renameSync(`${path}.${index}`, `${path}.${index + 1}`);
    renameSync(`${path}.copy`, `${path}.1`);
    // What was appended meanwhile, but no endless race with who writes as fast as it is copied.
    copy(source, end, target, end + flood);
    return Buffer.byteLength(note) - from;
  } finally {
    closeSync(target);
  }
}

const COPY_CHUNK = 1024 * 1024;

/** Up to `until`, or the end. Gives where it stopped. */
function copy(source: number, from: number, target: number, until: number): number {
  const buffer = Buffer.allocUnsafe(Math.min(COPY_CHUNK, until - from));
  let position = from;
  while (position < until) {
    const read = readSync(source, buffer, 0, Math.min(buffer.length, until - position), position);
    if (read === 0) break;
    writeSync(target, buffer, 0, read);
    position += read;
  }
  return position;
}

/** Where the first line after `position` begins; with none near, `position` itself. */
function nextLine(source: number, position: number): number {
  const buffer = Buffer.alloc(LONGEST_LINE);
  const newline = buffer.subarray(0, readSync(source, buffer, 0, LONGEST_LINE, position)).indexOf(10);
  return position + newline + 1;
}

/** The last `count` lines of a file, read from its end; the text after the last newline counts as a line. */
export function lastLines(path: string, count: number): { lines: string[]; end: number } {
  if (count <= 0 || !existsSync(path)) return { lines: [], end: existsSync(path) ? statSync(path).size : 0 };
  const file = openSync(path, 'r');
  try {
    const end = fstatSync(file).size;
    let start = end;
    const parts: Buffer[] = [];
    let newlines = 0;
    while (start > 0 && newlines <= count) {
      const length = Math.min(CHUNK, start);
      start -= length;
      const part = Buffer.alloc(length);
      readSync(file, part, 0, length, start);
      parts.unshift(part);
      for (const byte of part) if (byte === 10) newlines += 1;
    }
    const text = Buffer.concat(parts).toString('utf8');
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    return { lines: lines.slice(-count).map((line) => line.slice(0, LONGEST_LINE)), end };
  } finally {
    closeSync(file);
  }
}

/** The end of both streams, for the record of an instance that has ended. */
export function lastWords(folder: string, count: number): string[] {
  const error = lastLines(logFile(folder, 'stderr'), count).lines;
  return error.length > 0 ? error : lastLines(logFile(folder, 'stdout'), count).lines;
}

interface Tail {
  readonly stream: Stream;
  readonly path: string;
  position: number;
  /** Rotations that it has followed. */
  rotations: number;
  rest: Buffer;
}

/** A look at a log reads at most about so much, and goes on at the next. */
const MOST_LINES = 5_000;

/** New whole lines since the last look: first those of files that were rotated away meanwhile. */
function newLines(tail: Tail, rotations: Rotations): LogLine[] {
  const lines: LogLine[] = [];
  const { count = 0, shifts = [] } = rotations.get(tail.path) ?? {};
  for (let behind = count - tail.rotations; behind > 0; behind -= 1) {
    const old = `${tail.path}.${behind}`;
    if (existsSync(old)) readOn(tail, old, lines, shifts.at(-behind));
    else lines.push({ at: null, stream: tail.stream, text: '(lines were rotated away before they could be read)' });
    if (lines.length > MOST_LINES) return lines;
    tail.rotations += 1;
    tail.position = 0;
  }
  if (existsSync(tail.path)) readOn(tail, tail.path, lines);
  return lines;
}

/** Reads on in a file from the tail's position. One that has become shorter was emptied by another: it is read from its start. */
function readOn(tail: Tail, path: string, lines: LogLine[], shift = 0): void {
  const file = openSync(path, 'r');
  try {
    if (tail.position + shift < 0 || fstatSync(file).size < tail.position + shift) {
      tail.position = -shift;
      tail.rest = Buffer.alloc(0);
    }
    const buffer = Buffer.alloc(CHUNK);
    while (lines.length <= MOST_LINES) {
      const read = readSync(file, buffer, 0, CHUNK, tail.position + shift);
      if (read === 0) return;
      tail.position += read;
      takeLines(tail, buffer.subarray(0, read), lines);
    }
  } finally {
    closeSync(file);
  }
}

function takeLines(tail: Tail, read: Buffer, lines: LogLine[]): void {
  const text = Buffer.concat([tail.rest, read]);
  let start = 0;
  for (let newline = text.indexOf(10); newline >= 0; newline = text.indexOf(10, start)) {
    lines.push({
      at: null,
      stream: tail.stream,
      text: text.toString('utf8', start, Math.min(newline, start + LONGEST_LINE)),
    });
    start = newline + 1;
  }
  // A copy: a view would keep the whole of what was read.
  tail.rest = Buffer.from(text.subarray(start, start + LONGEST_LINE));
}

/** The last lines of both streams, then new ones until the signal. Agents' lines have no time of ours, so the streams stand one after the other. */
export async function* readLogs(
  folder: string,
  options: { tail: number; follow: boolean; signal: AbortSignal },
  rotations: Rotations,
): AsyncIterable<LogLine> {
  const tails: Tail[] = [];
  for (const stream of STREAMS) {
    const path = logFile(folder, stream);
    const { lines, end } = lastLines(path, options.tail);
    tails.push({ stream, path, position: end, rotations: rotations.get(path)?.count ?? 0, rest: Buffer.alloc(0) });
    for (const text of lines) yield { at: null, stream, text };
  }
  while (options.follow && !options.signal.aborted) {
    let hasMore = false;
    for (const tail of tails) {
      const lines = newLines(tail, rotations);
      hasMore ||= lines.length > MOST_LINES;
      yield* lines;
    }
    try {
      await sleep(hasMore ? 0 : FOLLOW_POLL_MS, undefined, { signal: options.signal });
    } catch {
      return;
    }
  }
}
