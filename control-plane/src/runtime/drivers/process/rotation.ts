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
import { dropTimes, mark, moveTimes } from './arrivals.ts';
import { LONGEST_LINE } from './lines.ts';

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
    mark(path);
    if (files > 1) shift = keepOld(path, source, maxBytes, files, flood);
    else dropTimes(path);
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
      if (existsSync(`${path}.${index}`)) moveTo(`${path}.${index}`, `${path}.${index + 1}`);
    renameSync(`${path}.copy`, `${path}.1`);
    const shift = Buffer.byteLength(note) - from;
    moveTimes(path, `${path}.1`, shift);
    // What was appended meanwhile, but no endless race with who writes as fast as it is copied.
    copy(source, end, target, end + flood);
    mark(`${path}.1`);
    return shift;
  } finally {
    closeSync(target);
  }
}

function moveTo(path: string, to: string): void {
  renameSync(path, to);
  moveTimes(path, to);
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
