/**
 * Agents write straight into files, opened for appending: no pipe that fills up and freezes them, none that breaks when the
 * control plane ends. The process holds the descriptor, so a file can't be renamed away; it is copied and then cut to nothing, and
 * goes on at its new end. Lines written between the last read and the cut are lost; the gap is a few microseconds.
 */
import {
  closeSync,
  copyFileSync,
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
import type { LogLine } from '../../runtime.ts';

export const STREAMS = ['stdout', 'stderr'] as const;
type Stream = (typeof STREAMS)[number];

const CHUNK = 64 * 1024;
const LONGEST_LINE = 64 * 1024;
const FOLLOW_POLL_MS = 150;

export const logFile = (folder: string, stream: Stream): string => join(folder, `${stream}.log`);

/** Rotates `stdout.log` to `stdout.log.1` and so on when it is larger than `maxBytes`; keeps `files` in all. */
export function rotate(path: string, maxBytes: number, files: number): void {
  let size: number;
  try {
    size = statSync(path).size;
  } catch {
    return;
  }
  if (size <= maxBytes) return;
  const source = openSync(path, 'r+');
  try {
    // Older files move only when the copy is whole; on a full disk the log is cut all the same, or it would fill what is left.
    if (files > 1) {
      copyFileSync(path, `${path}.copy`);
      copyRest(source, `${path}.copy`);
      for (let index = files - 2; index >= 1; index -= 1)
        if (existsSync(`${path}.${index}`)) renameSync(`${path}.${index}`, `${path}.${index + 1}`);
      renameSync(`${path}.copy`, `${path}.1`);
    }
  } catch (error) {
    rmSync(`${path}.copy`, { force: true });
    throw error;
  } finally {
    ftruncateSync(source, 0);
    closeSync(source);
  }
}

/** What was appended while the copy was made. */
function copyRest(source: number, copy: string): void {
  const target = openSync(copy, 'r+');
  try {
    const buffer = Buffer.alloc(CHUNK);
    let position = fstatSync(target).size;
    for (
      let read = readSync(source, buffer, 0, CHUNK, position);
      read > 0;
      read = readSync(source, buffer, 0, CHUNK, position)
    ) {
      writeSync(target, buffer, 0, read, position);
      position += read;
    }
  } finally {
    closeSync(target);
  }
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
  rest: Buffer;
}

/** New whole lines since the last look. A file that has become shorter was rotated: it is read from its start. */
function newLines(tail: Tail): LogLine[] {
  if (!existsSync(tail.path)) return [];
  const file = openSync(tail.path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size < tail.position) {
      tail.position = 0;
      tail.rest = Buffer.alloc(0);
    }
    const lines: LogLine[] = [];
    const buffer = Buffer.alloc(CHUNK);
    for (
      let read = readSync(file, buffer, 0, CHUNK, tail.position);
      read > 0;
      read = readSync(file, buffer, 0, CHUNK, tail.position)
    ) {
      tail.position += read;
      tail.rest = Buffer.concat([tail.rest, buffer.subarray(0, read)]);
      for (let newline = tail.rest.indexOf(10); newline >= 0; newline = tail.rest.indexOf(10)) {
        lines.push({
          at: null,
          stream: tail.stream,
          text: tail.rest.toString('utf8', 0, Math.min(newline, LONGEST_LINE)),
        });
        tail.rest = tail.rest.subarray(newline + 1);
      }
      if (tail.rest.length > LONGEST_LINE) tail.rest = tail.rest.subarray(0, LONGEST_LINE);
      if (lines.length > 5000) break;
    }
    return lines;
  } finally {
    closeSync(file);
  }
}

/** The last lines of both streams, then new ones until the signal. Agents' lines have no time of ours, so the streams stand one after the other. */
export async function* readLogs(
  folder: string,
  options: { tail: number; follow: boolean; signal: AbortSignal },
): AsyncIterable<LogLine> {
  const tails: Tail[] = [];
  for (const stream of STREAMS) {
    const path = logFile(folder, stream);
    const { lines, end } = lastLines(path, options.tail);
    for (const text of lines) yield { at: null, stream, text };
    tails.push({ stream, path, position: end, rest: Buffer.alloc(0) });
  }
  while (options.follow && !options.signal.aborted) {
    for (const tail of tails) yield* newLines(tail);
    try {
      await sleep(FOLLOW_POLL_MS, undefined, { signal: options.signal });
    } catch {
      return;
    }
  }
}
