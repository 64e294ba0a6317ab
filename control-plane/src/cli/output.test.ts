import { afterEach, expect, it, vi } from 'vitest';
import { note, print, table } from './output.ts';

const EVIL = 'a\u001b]0;title\u0007\u001b[2Jb\u202e \u001b[31mred\u001b[0m\n';
const SAFE = 'ab\uFFFD \u001b[31mred\u001b[0m\n';
const were = { out: process.stdout.isTTY, err: process.stderr.isTTY };

afterEach(() => {
  vi.restoreAllMocks();
  process.stdout.isTTY = were.out;
  process.stderr.isTTY = were.err;
});

it.each([
  [true, SAFE],
  [false, EVIL],
])('on a terminal (%s) nothing steers it, a pipe has all', (isTTY, shown) => {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  process.stdout.isTTY = isTTY;
  process.stderr.isTTY = isTTY;
  print(EVIL);
  note(EVIL.trimEnd());
  expect([out.mock.calls[0]?.[0], err.mock.calls[0]?.[0]]).toEqual([shown, shown]);
});

it('a cell of a table never does', () => {
  expect(table([EVIL.trimEnd()], [{ title: 'text', cell: (one) => one }])).toBe(`TEXT\n${SAFE}`);
});
