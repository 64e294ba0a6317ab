import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { logFile, readLogs, rotate, type Rotations } from './logs.ts';

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
    follow() {
      const seen: string[] = [];
      const stop = new AbortController();
      const done = (async () => {
        for await (const { text } of readLogs(folder, { tail: 0, follow: true, signal: stop.signal }, rotations))
          seen.push(text);
      })();
      return {
        seen,
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
