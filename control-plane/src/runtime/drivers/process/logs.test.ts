import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import type { LogLine } from '../../../model/log-line.ts';
import { mark, watchArrivals } from './arrivals.ts';
import { lastWords, logFile, readLogs } from './logs.ts';
import { rotate, type Rotations } from './rotation.ts';

const root = mkdtempSync(join(tmpdir(), 'sb-logs-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

let count = 0;
function newLog() {
  count += 1;
  const folder = mkdtempSync(join(root, `${count}-`));
  const path = logFile(folder, 'stdout');
  writeFileSync(path, '');
  const rotations: Rotations = new Map();
  let next = 0;
  return {
    path,
    folder,
    rotations,
    /** Without following. */
    async last(tail: number): Promise<LogLine[]> {
      const lines: LogLine[] = [];
      const options = { tail, follow: false, signal: new AbortController().signal };
      for await (const line of readLogs(folder, options, rotations)) lines.push(line);
      return lines;
    },
    /** So many lines, numbered on; the last one without its end if `torn`. */
    write(lines: number, torn = false): void {
      const text = Array.from({ length: lines }, () => `line ${next++}\n`).join('');
      appendFileSync(path, torn ? text.slice(0, -1) : text);
    },
    endLine(): void {
      appendFileSync(path, '\n');
    },
    rotate(files = 3, maxBytes = 0, flood = 1_000_000): void {
      rotate(path, maxBytes, files, rotations, flood);
    },
    follow(tail = 0) {
      const seen: string[] = [];
      const lines: LogLine[] = [];
      const stop = new AbortController();
      const done = (async () => {
        for await (const line of readLogs(folder, { tail, follow: true, signal: stop.signal }, rotations)) {
          lines.push(line);
          seen.push(line.text);
        }
      })();
      return {
        seen,
        lines,
        async until(length: number): Promise<void> {
          for (let round = 0; round < 400 && seen.length < length; round += 1) await sleep(25);
          stop.abort();
          await done;
        },
      };
    },
  };
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, n) => `line ${from + n}`);

it('who follows misses and repeats nothing over rotations, also over two between two looks', async () => {
  const log = newLog();
  log.write(10);
  const reader = log.follow();
  log.write(7);
  log.rotate();
  log.write(5);
  log.rotate();
  // More than it had read before: its length alone would not tell that the file was cut.
  log.write(40);
  await reader.until(52);
  expect(reader.seen).toEqual(numbered(10, 62));
});

it('goes on with a line that a rotation has cut in two', async () => {
  const log = newLog();
  log.write(2);
  const reader = log.follow();
  log.write(3, true);
  log.rotate();
  log.endLine();
  log.write(2);
  await reader.until(5);
  expect(reader.seen).toEqual(numbered(2, 7));
});

it('says so when lines are gone before they could be read', async () => {
  const log = newLog();
  const reader = log.follow();
  for (let part = 0; part < 4; part += 1) {
    log.write(2);
    log.rotate(3);
  }
  log.write(1);
  await reader.until(7);
  expect(reader.seen).toEqual([
    '(lines were rotated away before they could be read)',
    '(lines were rotated away before they could be read)',
    ...numbered(4, 9),
  ]);
});

it('keeps so many files, oldest last, and with one alone it only cuts', () => {
  const log = newLog();
  for (let part = 0; part < 4; part += 1) {
    log.write(1);
    log.rotate(3);
  }
  expect([log.path, `${log.path}.1`, `${log.path}.2`].map((path) => readFileSync(path, 'utf8'))).toEqual([
    '',
    'line 3\n',
    'line 2\n',
  ]);
  expect(existsSync(`${log.path}.3`)).toBe(false);
  const single = newLog();
  single.write(1);
  single.rotate(1);
  expect([readFileSync(single.path, 'utf8'), existsSync(`${single.path}.1`)]).toEqual(['', false]);
});

it('keeps only the end of a flood, says how much it dropped, and who follows repeats nothing', async () => {
  const log = newLog();
  log.write(10);
  const reader = log.follow();
  // Read before the flood.
  log.write(1);
  for (let round = 0; round < 400 && reader.seen.length < 1; round += 1) await sleep(25);
  log.write(1_000);
  log.rotate(3, 1_000, 2_000);
  log.write(2);
  const kept = readFileSync(`${log.path}.1`, 'utf8').split('\n');
  expect(kept[0]).toMatch(/^\(\d{4} bytes were dropped: more was written than is kept\)$/);
  expect(kept.length).toBeLessThan(120);
  expect(kept.at(-2)).toBe('line 1010');
  await reader.until(kept.length + 2);
  expect(reader.seen).toEqual(['line 10', ...kept.slice(0, -1), 'line 1011', 'line 1012']);
});

it('goes on where it was in what was kept of a flood', async () => {
  const log = newLog();
  log.write(1_000);
  const reader = log.follow();
  log.write(3);
  log.rotate(3, 1_000, 2_000);
  log.write(2);
  await reader.until(5);
  expect(reader.seen).toEqual(numbered(1_000, 1_005));
});

const textsOf = (lines: readonly LogLine[]): string[] => lines.map(({ text }) => text);

it('the last lines go on into the files that were rotated away, by this control plane or one before it', async () => {
  const log = newLog();
  for (let part = 0; part < 3; part += 1) {
    log.write(10);
    log.rotate(4);
  }
  expect(textsOf(await log.last(5))).toEqual(numbered(25, 30));
  log.write(3);
  for (const forget of [false, true]) {
    if (forget) log.rotations.clear();
    expect(textsOf(await log.last(1))).toEqual(['line 32']);
    expect(textsOf(await log.last(3))).toEqual(numbered(30, 33));
    expect(textsOf(await log.last(4))).toEqual(numbered(29, 33));
    expect(textsOf(await log.last(25))).toEqual(numbered(8, 33));
    expect(textsOf(await log.last(1_000))).toEqual(numbered(0, 33));
    expect(await log.last(0)).toEqual([]);
  }
  expect(lastWords(log.folder, 5)).toEqual(numbered(28, 33));
  // Who follows from there on repeats and misses nothing, over one more.
  const reader = log.follow(12);
  log.write(1, true);
  log.rotate(4);
  log.endLine();
  log.write(1);
  await reader.until(14);
  expect(reader.seen).toEqual(numbered(21, 35));
});

it('who follows goes on when somebody has cut the file, removed it, or put another in its place', async () => {
  const log = newLog();
  log.write(3);
  const reader = log.follow(1);
  const seen = async (count: number): Promise<void> => {
    for (let round = 0; round < 400 && reader.seen.length < count; round += 1) await sleep(25);
  };
  await seen(1);
  truncateSync(log.path);
  log.write(1);
  await seen(2);
  rmSync(log.path);
  await sleep(400);
  // Longer than what was there.
  log.write(30);
  await reader.until(32);
  expect(reader.seen).toEqual(numbered(2, 34));
});

it('of a line that is written over it shows the last state, and one without an end as it grows', async () => {
  const log = newLog();
  const state = (percent: number): string => `\r${percent}% ${'#'.repeat(percent)}`;
  appendFileSync(log.path, `plain\r\n${Array.from({ length: 2_000 }, (_, n) => state(n % 101)).join('')}\r100%\n`);
  expect(await log.last(10)).toMatchObject([{ text: 'plain' }, { text: '100%' }]);
  // A megabyte, and it goes on.
  for (let round = 0; round < 200; round += 1)
    appendFileSync(log.path, Array.from({ length: 100 }, () => state(50)).join(''));
  appendFileSync(log.path, state(7));
  expect((await log.last(1))[0]).toEqual({ at: null, stream: 'stdout', text: '7% #######', unfinished: true });
  expect(lastWords(log.folder, 1)).toEqual(['7% #######']);
  const reader = log.follow(0);
  const until = async (text: string): Promise<void> => {
    for (let round = 0; round < 400 && reader.seen.at(-1) !== text; round += 1) await sleep(25);
    expect(reader.seen.at(-1)).toBe(text);
  };
  await sleep(200);
  appendFileSync(log.path, state(8));
  await until('8% ########');
  appendFileSync(log.path, state(9));
  await until('9% #########');
  appendFileSync(log.path, '\r');
  appendFileSync(log.path, 'done\n');
  await until('done');
  await reader.until(0);
  expect(reader.lines.map(({ unfinished = false }) => unfinished)).toEqual([true, true, false]);
  expect(statSync(log.path).size).toBeGreaterThan(1_000_000);
});

it('bytes that are no text and lines without measure stay bounded and readable', async () => {
  const log = newLog();
  appendFileSync(log.path, Buffer.from([0x61, 0xff, 0xc3, 0x28, 0x00, 0x62, 0x0a]));
  appendFileSync(log.path, `${'é'.repeat(5_000_000)}\nafter\n${'x'.repeat(10_000_000)}`);
  const [broken, long, after, open] = await log.last(4);
  expect(broken?.text).toBe('a\uFFFD\uFFFD(\u0000b');
  expect(long?.text).toMatch(/^é+ … \(10000000 bytes in all\)$/);
  expect(long?.text.length).toBeLessThan(65_600);
  expect([after?.text, open?.text.slice(-28)]).toEqual(['after', 'x … (10000000 bytes in all)'.padStart(28, 'x')]);
  expect(lastWords(log.folder, 4)[1]?.length).toBeLessThan(2_100);
});

it('gives the lines of both streams in the order and with the time in which they came, also over rotations and a restart', async () => {
  const log = newLog();
  const errors = logFile(log.folder, 'stderr');
  writeFileSync(errors, '');
  const files = [log.path, errors];
  let watches = files.map(watchArrivals);
  const begin = Date.now();
  const write = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n += 1) {
      // First an error: by name the output would come first.
      appendFileSync(files[(n + 1) % 2] ?? '', `line ${n}\n`);
      await sleep(60);
    }
  };
  await write(0, 6);
  const middle = Date.now();
  log.rotate();
  await sleep(5);
  await write(6, 9);
  const whole = await log.last(100);
  expect(textsOf(whole)).toEqual(numbered(0, 9));
  expect(whole.map(({ stream }) => stream).slice(0, 3)).toEqual(['stderr', 'stdout', 'stderr']);
  const times = whole.map(({ at }) => Date.parse(at ?? ''));
  expect(times.every((time) => time >= begin && time <= Date.now())).toBe(true);
  expect([times.filter((time) => time <= middle).length, new Set(times).size]).toEqual([6, 9]);
  // The control plane goes; what comes meanwhile has no time, and stands where it was found.
  for (const one of watches) one.close();
  appendFileSync(log.path, 'line 9\n');
  for (const path of files) mark(path, false);
  watches = files.map(watchArrivals);
  await write(10, 12);
  for (const one of watches) one.close();
  const later = await log.last(100);
  expect(textsOf(later)).toEqual(numbered(0, 12));
  expect(later.map(({ at }, n) => (at === null ? n : -1)).filter((n) => n >= 0)).toEqual([9]);
  expect(later.slice(0, 9)).toEqual(whole);
});

it('a flood costs marks by its time, not by its lines', async () => {
  const log = newLog();
  const watching = watchArrivals(log.path);
  const begin = Date.now();
  for (let round = 0; round < 300; round += 1) {
    for (let n = 0; n < 20; n += 1) log.write(10);
    await sleep(0);
  }
  const most = (Date.now() - begin) / 10 + 10;
  watching.close();
  expect(statSync(`${log.path}.times`).size / 16).toBeLessThan(most);
  log.rotate(3, 1_000, 2_000);
  const kept = await log.last(10_000);
  expect(kept.at(-1)?.text).toBe('line 59999');
  expect(kept.every(({ at }) => at !== null && Date.parse(at) >= begin)).toBe(true);
});
