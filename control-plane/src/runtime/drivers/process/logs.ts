/**
 * Reads what agents have written into their files, over rotations: from so many lines before the end on, both streams in the order in which their
 * lines came (see `arrivals.ts` for how exactly that is known).
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import type { LogLine } from '../../../model/log-line.ts';
import { shownText } from '../../../model/shown-text.ts';
import { arrivalsFrom, mark } from './arrivals.ts';
import { Lines } from './lines.ts';
import type { Rotations } from './rotation.ts';

export const STREAMS = ['stdout', 'stderr'] as const;
type Stream = (typeof STREAMS)[number];

const CHUNK = 64 * 1024;
const FOLLOW_POLL_MS = 150;
/** A look at a log reads at most about so much, and goes on at the next. */
const MOST_LINES = 5_000;
const MOST_BYTES = 8 * 1024 * 1024;
const LONGEST_WORDS = 2_000;

export const logFile = (folder: string, stream: Stream): string => join(folder, `${stream}.log`);

interface Tail {
  readonly stream: Stream;
  readonly path: string;
  position: number;
  /** Rotations that it has followed. */
  rotations: number;
  /** Which file it is: another one at its path is read from its start. */
  identity: string | undefined;
  readonly lines: Lines;
  readonly waiting: { readonly order: number; readonly line: LogLine }[];
  /** There is more to read than was read. */
  hasMore: boolean;
  /** The unfinished line as it was at the last look, and as it was last shown. */
  unfinished: string;
  shown: string;
}

const oldFile = (path: string, behind: number): string => (behind === 0 ? path : `${path}.${behind}`);

/** Undefined: there is no such file, or no more. */
function withFile<T>(path: string, use: (file: number) => T): T | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}

/** At the `count`th line before the end, in an older file where the newer ones have not so many; text after the last newline counts as a line. */
function tailOf(stream: Stream, folder: string, count: number, rotations: Rotations): Tail {
  const path = logFile(folder, stream);
  const { count: rotated = 0, shifts = [] } = rotations.get(path) ?? {};
  let place = { behind: 0, offset: 0 };
  const left = { newlines: count, atEnd: true };
  for (let behind = 0; ; behind += 1) {
    const offset = withFile(oldFile(path, behind), (file) => startIn(file, left));
    if (offset === undefined && behind > 0) break;
    place = { behind, offset: offset ?? 0 };
    if (left.newlines < 0 || count === 0) break;
  }
  const shift = place.behind === 0 ? 0 : (shifts.at(-place.behind) ?? 0);
  return {
    stream,
    path,
    position: place.offset - shift,
    rotations: rotated - place.behind,
    identity: undefined,
    lines: new Lines(),
    waiting: [],
    hasMore: false,
    unfinished: '',
    shown: '',
  };
}

/** Goes back over newlines; where it has passed one more than `left.newlines`, that is the place. The newline at the very end is not counted. */
function startIn(file: number, left: { newlines: number; atEnd: boolean }): number {
  const { size } = fstatSync(file);
  if (left.newlines === 0 && left.atEnd) return size;
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - CHUNK);
    const part = buffer.subarray(0, readSync(file, buffer, 0, end - start, start));
    if (left.atEnd && part.at(-1) !== 10) left.newlines -= 1;
    left.atEnd = false;
    for (let at = part.lastIndexOf(10); at >= 0; at = at === 0 ? -1 : part.lastIndexOf(10, at - 1)) {
      left.newlines -= 1;
      if (left.newlines < 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

/** New whole lines since the last look: first those of files that were rotated away meanwhile. */
function readNew(tail: Tail, rotations: Rotations): void {
  const { count = 0, shifts = [] } = rotations.get(tail.path) ?? {};
  const most = { lines: MOST_LINES, bytes: MOST_BYTES };
  tail.hasMore = true;
  for (let behind = count - tail.rotations; behind > 0; behind -= 1) {
    const found = withFile(oldFile(tail.path, behind), (file) => {
      readOn(tail, file, oldFile(tail.path, behind), fstatSync(file).size, most, shifts.at(-behind));
      return true;
    });
    if (found === undefined) {
      const text = '(lines were rotated away before they could be read)';
      tail.waiting.push({ order: 0, line: { at: null, stream: tail.stream, text } });
    }
    if (most.lines <= 0 || most.bytes <= 0) return;
    tail.rotations += 1;
    tail.position = 0;
  }
  withFile(tail.path, (file) => {
    // The inode alone may be given to the next file at once.
    const { ino, birthtimeMs } = fstatSync(file);
    const identity = `${ino} ${birthtimeMs}`;
    if (tail.identity !== undefined && tail.identity !== identity) startOver(tail, 0);
    tail.identity = identity;
    // No further than what has a time.
    readOn(tail, file, tail.path, mark(tail.path), most);
  });
  tail.hasMore = most.lines <= 0 || most.bytes <= 0;
}

function startOver(tail: Tail, position: number): void {
  tail.position = position;
  tail.lines.reset();
}

/** Reads on in a file from the tail's position. One that has become shorter was emptied by another: it is read from its start. */
function readOn(
  tail: Tail,
  file: number,
  path: string,
  until: number,
  most: { lines: number; bytes: number },
  shift = 0,
): void {
  if (tail.position + shift < 0 || until < tail.position + shift) startOver(tail, -shift);
  if (tail.position + shift === until) return;
  const arrival = arrivalsFrom(path, tail.position + shift);
  const buffer = Buffer.allocUnsafe(CHUNK);
  while (most.lines > 0 && most.bytes > 0) {
    const from = tail.position + shift;
    const read = readSync(file, buffer, 0, Math.min(CHUNK, until - from), from);
    if (read === 0) return;
    tail.position += read;
    most.bytes -= read;
    tail.lines.take(buffer.subarray(0, read), (text, end) => {
      const { at, order } = arrival(from + end);
      tail.waiting.push({ order, line: { at, stream: tail.stream, text } });
      most.lines -= 1;
    });
  }
}

/** Takes out what is known to come next, up to where one stream has been read and has more that may come before the other's. */
function inOrder(tails: readonly Tail[]): LogLine[] {
  const lines: LogLine[] = [];
  const at = tails.map(() => 0);
  for (;;) {
    let first: number | undefined;
    let order = Infinity;
    let blocked = false;
    for (const [index, tail] of tails.entries()) {
      const next = tail.waiting[at[index] ?? 0];
      if (next === undefined) blocked ||= tail.hasMore;
      else if (next.order < order) [first, order] = [index, next.order];
    }
    if (first === undefined || blocked) break;
    const taken = tails[first]?.waiting[at[first] ?? 0];
    if (taken !== undefined) lines.push(taken.line);
    at[first] = (at[first] ?? 0) + 1;
  }
  for (const [index, tail] of tails.entries()) tail.waiting.splice(0, at[index]);
  return lines;
}

/** A line that had no end at the last look either, if it has grown since it was shown. `atOnce`: there is no other look. */
function unfinished(tail: Tail, atOnce: boolean): LogLine[] {
  const { text } = tail.lines;
  const isShown = text !== '' && text !== tail.shown && (atOnce || tail.unfinished !== '');
  tail.unfinished = text;
  if (isShown || text === '') tail.shown = text;
  return isShown ? [{ at: null, stream: tail.stream, text, unfinished: true }] : [];
}

/** The end of both streams, for the record of an instance that has ended: of the errors, or, with none, of what it said. */
export function lastWords(folder: string, count: number): string[] {
  const wordsOf = (stream: Stream): string[] => {
    const tail = tailOf(stream, folder, count, new Map());
    do readNew(tail, new Map());
    while (tail.hasMore);
    return [...tail.waiting.map(({ line }) => line), ...unfinished(tail, true)]
      .map(({ text }) => shownText(text))
      .map((text) => (text.length > LONGEST_WORDS ? `${text.slice(0, LONGEST_WORDS)} …` : text));
  };
  const error = wordsOf('stderr');
  return error.length > 0 ? error : wordsOf('stdout');
}

/** The last lines of both streams, then new ones until the signal. */
export async function* readLogs(
  folder: string,
  options: { tail: number; follow: boolean; signal: AbortSignal },
  rotations: Rotations,
): AsyncIterable<LogLine> {
  const { signal, follow } = options;
  const tails = STREAMS.map((stream) => tailOf(stream, folder, options.tail, rotations));
  while (!signal.aborted) {
    for (const tail of tails) if (tail.waiting.length < MOST_LINES) readNew(tail, rotations);
    yield* inOrder(tails);
    const hasMore = tails.some((tail) => tail.hasMore);
    if (!hasMore) {
      yield* tails.flatMap((tail) => unfinished(tail, !follow));
      if (!follow) return;
    }
    try {
      await sleep(hasMore ? 0 : FOLLOW_POLL_MS, undefined, { signal });
    } catch {
      return;
    }
  }
}
