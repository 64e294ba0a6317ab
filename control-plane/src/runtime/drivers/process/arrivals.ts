/**
 * When agents' lines came. An agent writes straight into its files, so that nobody has to live for it: what is known is how long a file was at
 * which moment. Each such mark (time, length) stands in `FILE.times` beside the file. A mark is made as soon as a quiet file grows, and then every
 * `PAUSE_MS` at most while it goes on growing: a line's time is that of the mark that covers its end. So the time, and the order of lines of two
 * files, are exact to some milliseconds after a silence and to about 20 ms within a burst; with more than 40 files to half a millisecond for each, so that all
 * together cost the same. Of lines that came while no control plane ran neither is known. A flood costs as much as a line: one look for each pause.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  watch,
  writeSync,
  type FSWatcher,
} from 'node:fs';

const PAUSE_MS = 20;
const PAUSE_PER_FILE_MS = 0.5;
/** Where the system watches no more files they are looked at so often. */
const UNWATCHED_MS = 500;
/** Time in milliseconds since 1970, negative where nobody saw them come; length of the file. */
const MARK_BYTES = 16;

export interface Arrival {
  /** Not known: what came while nobody looked, at the latest by then. */
  readonly at: string | null;
  /** Lines of two streams stand in its order. */
  readonly order: number;
}

const timesOf = (path: string): string => `${path}.times`;

let last = 0;
/** Marks of one moment keep their order. A clock that was set back is believed. */
function stamp(): number {
  const now = Date.now();
  last = now > last || now < last - 1_000 ? now : last + 1 / 1024;
  return last;
}

/** Takes down how long the file is now. `seen` false: what is new in it came while nobody looked. Never throws: a log without times is still one. Gives the length. */
export function mark(path: string, seen = true): number {
  let size = 0;
  try {
    ({ size } = statSync(path));
    if (size === 0) return 0;
    const times = openSync(timesOf(path), 'a+', 0o600);
    try {
      const marks = Math.floor(fstatSync(times).size / MARK_BYTES);
      const before = marks === 0 ? 0 : (readMarks(times, marks - 1, 1)[1] ?? 0);
      if (size === before) return size;
      // Somebody has cut the file.
      if (size < before) ftruncateSync(times, 0);
      const time = stamp();
      writeSync(times, new Uint8Array(new Float64Array([seen ? time : -time, size]).buffer));
    } finally {
      closeSync(times);
    }
  } catch {
    // A full disk, or a file that has just gone.
  }
  return size;
}

function readMarks(times: number, from: number, count: number): Float64Array {
  const bytes = new Uint8Array(count * MARK_BYTES);
  const read = readSync(times, bytes, 0, bytes.length, from * MARK_BYTES);
  return new Float64Array(bytes.buffer, 0, Math.floor(read / MARK_BYTES) * 2);
}

/** For places in the file in ascending order, the first beyond `from`: when what stands before them was there. */
export function arrivalsFrom(path: string, from: number): (end: number) => Arrival {
  const marks = marksFrom(path, from);
  let next = 0;
  return (end) => {
    while (next + 2 < marks.length && (marks[next + 1] ?? 0) < end) next += 2;
    const time = marks[next] ?? 0;
    const covered = (marks[next + 1] ?? -1) >= end;
    return { at: time > 0 && covered ? new Date(time).toISOString() : null, order: Math.abs(time) };
  };
}

/** The marks from the first that lies beyond `from`, or the last one. */
function marksFrom(path: string, from: number): Float64Array {
  try {
    const times = openSync(timesOf(path), 'r');
    try {
      const count = Math.floor(fstatSync(times).size / MARK_BYTES);
      let [low, high] = [0, Math.max(0, count - 1)];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((readMarks(times, middle, 1)[1] ?? 0) > from) high = middle;
        else low = middle + 1;
      }
      return readMarks(times, low, count - low);
    } finally {
      closeSync(times);
    }
  } catch {
    return new Float64Array();
  }
}

/** With a file that is renamed its marks are. `shift`: how much further on its lines lie now. */
export function moveTimes(path: string, to: string, shift = 0): void {
  try {
    if (shift !== 0) shiftMarks(timesOf(path), shift);
    renameSync(timesOf(path), timesOf(to));
  } catch {
    rmSync(timesOf(to), { force: true });
  }
}

function shiftMarks(path: string, shift: number): void {
  const times = openSync(path, 'r+');
  try {
    const marks = readMarks(times, 0, Math.floor(fstatSync(times).size / MARK_BYTES));
    const moved = [];
    for (let at = 0; at < marks.length; at += 2) {
      const place = (marks[at + 1] ?? 0) + shift;
      if (place > 0) moved.push(marks[at] ?? 0, place);
    }
    ftruncateSync(times, 0);
    writeSync(times, new Uint8Array(new Float64Array(moved).buffer), 0, undefined, 0);
  } finally {
    closeSync(times);
  }
}

export function dropTimes(path: string): void {
  rmSync(timesOf(path), { force: true });
}

let watched = 0;

/** Marks the file whenever it grows, until it is closed. While it pauses it watches nothing: a flood would fill the queue of the watch. */
export function watchArrivals(path: string): { close(): void } {
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  watched += 1;
  function rest(ms: number): void {
    watcher?.close();
    watcher = undefined;
    clearTimeout(timer);
    if (!closed) timer = setTimeout(look, ms).unref();
  }
  function look(): void {
    try {
      watcher = watch(path, { persistent: false }, () => {
        mark(path);
        rest(Math.max(PAUSE_MS, watched * PAUSE_PER_FILE_MS));
      });
      watcher.on('error', () => {
        rest(UNWATCHED_MS);
      });
    } catch {
      rest(UNWATCHED_MS);
    }
    mark(path);
  }
  look();
  return {
    close() {
      if (closed) return;
      closed = true;
      watched -= 1;
      clearTimeout(timer);
      watcher?.close();
      mark(path);
    },
  };
}
