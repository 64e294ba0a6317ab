import { expect, it } from 'vitest';
import type { LogLine } from '../api/types.ts';
import { logPrinter } from './log-printer.ts';

function printed(options: { isTTY?: boolean; columns?: number; timestamps?: boolean; colours?: boolean } = {}) {
  const written: string[] = [];
  let time = 0;
  const output = {
    write: (text: string) => written.push(text),
    isTTY: options.isTTY ?? false,
    columns: options.columns ?? 80,
  };
  const printer = logPrinter(output, {
    timestamps: options.timestamps ?? false,
    colours: options.colours ?? false,
    now: () => time,
  });
  return { written, printer, pass: (ms: number) => (time += ms) };
}

const line = (text: string, rest: Partial<LogLine> = {}): LogLine => ({ at: null, stream: 'stdout', text, ...rest });
const EVIL = '\u001b]0;title\u0007\u001b[2J\u001b[31mred\u0007\u001b]52;c;eA==\u0007';

it('lets nothing through that steers a terminal, and colours only where they are wanted', () => {
  const plain = printed();
  plain.printer.show('a-1', line(EVIL), true);
  expect(plain.written).toEqual(['a-1 red\uFFFD\n']);
  const coloured = printed({ isTTY: true, colours: true });
  coloured.printer.show('a-1', line(EVIL), false);
  expect(coloured.written).toEqual(['\u001b[31mred\uFFFD\u001b[0m\n']);
});

it('writes a growing line over on a terminal, within one row, and breaks it off for what comes between', () => {
  const { written, printer } = printed({ isTTY: true, columns: 20 });
  printer.show('a-1', line('10%', { unfinished: true }), false);
  printer.show('a-1', line('日'.repeat(30), { unfinished: true }), false);
  printer.show('a-1', line('an error', { stream: 'stderr' }), false);
  printer.show('a-1', line('20%', { unfinished: true }), false);
  printer.show('a-1', line('done'), false);
  printer.show('a-1', line('more', { unfinished: true }), false);
  printer.end();
  printer.end();
  expect(written).toEqual([
    '10%',
    `\r\u001b[K${'日'.repeat(9)}…`,
    '\nan error\n',
    '20%',
    '\r\u001b[Kdone\n',
    'more',
    '\n',
  ]);
});

it('gives a growing line to a pipe as it stands, once a second', () => {
  const { written, printer, pass } = printed();
  for (let percent = 0; percent < 30; percent += 1) {
    printer.show('a-1', line(`${percent}%`, { unfinished: true }), false);
    pass(100);
  }
  printer.show('a-1', line('done'), false);
  printer.end();
  expect(written).toEqual(['0%\n', '10%\n', '20%\n', 'done\n']);
});

it('tells the time where it is known and wanted', () => {
  const { written, printer } = printed({ timestamps: true });
  printer.show('a-1', line('x', { at: '2026-01-01T00:00:00.000Z' }), true);
  printer.show('a-1', line('y'), true);
  expect(written).toEqual(['a-1 2026-01-01T00:00:00.000Z x\n', 'a-1 - y\n']);
});
