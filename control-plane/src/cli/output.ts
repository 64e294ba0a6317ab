/** What commands print: tables that align also with wide characters, JSON, YAML, names. Only results go to standard output. */
import { styleText } from 'node:util';
import stringWidth from 'string-width';
import { stringify } from 'yaml';
import { SwitchboardError } from '../model/errors.ts';
import { shownText } from '../model/shown-text.ts';

export const FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type Format = (typeof FORMATS)[number];

export interface Column<T> {
  readonly title: string;
  readonly cell: (item: T) => string;
  /** Only in wide tables. */
  readonly wide?: boolean;
  /** Figures: units stand below units. */
  readonly right?: boolean;
}

/** Text from outside may hold what a terminal would obey; colours may stay, ours among them. */
const printable = (text: string): string => shownText(text, { colours: true });

export function table<T>(items: readonly T[], columns: readonly Column<T>[]): string {
  const rows = [
    columns.map((column) => column.title.toUpperCase()),
    ...items.map((item) => columns.map((column) => printable(column.cell(item)))),
  ];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => stringWidth(row[index] ?? ''))));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, index) => {
        const space = ' '.repeat((widths[index] ?? 0) - stringWidth(cell));
        if (columns[index]?.right === true) return space + cell;
        return index === row.length - 1 ? cell : cell + space;
      })
      .join('   ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n`;
}

/** In less than this a line that goes on below is no table any more. */
const NARROW = 60;

/** A table; where a narrow terminal would break its lines, each item by itself, a line for each column. */
function fitted<T>(items: readonly T[], columns: readonly Column<T>[]): string {
  const text = table(items, columns);
  const room = process.stdout.isTTY ? process.stdout.columns : 0;
  if (room === 0 || room >= NARROW || text.split('\n').every((line) => stringWidth(line) <= room)) return text;
  const titles = Math.max(...columns.map(({ title }) => stringWidth(title)));
  return items
    .map((item) =>
      columns
        .map(({ title, cell }) => {
          const value = printable(cell(item));
          return `${title.toUpperCase()}${' '.repeat(titles - stringWidth(title))}  ${value}\n`;
        })
        .join(''),
    )
    .join('\n');
}

export function format<T>(
  items: readonly T[],
  columns: readonly Column<T>[],
  nameOf: (item: T) => string,
  as: Format,
): string {
  switch (as) {
    case 'json':
      return `${JSON.stringify(items, undefined, 2)}\n`;
    case 'yaml':
      return stringify(items);
    case 'name':
      return items.map((item) => `${nameOf(item)}\n`).join('');
    case 'wide':
      return fitted(items, columns);
    case 'table':
      return fitted(
        items,
        columns.filter((column) => column.wide !== true),
      );
  }
}

export function parseFormat(text: string): Format {
  const found = FORMATS.find((one) => one === text);
  if (found === undefined)
    throw new SwitchboardError('invalid', `--output must be one of ${FORMATS.join(', ')}, not ${text}`);
  return found;
}

const GOOD = new Set(['ready', 'running', 'SYNCED', 'ok', 'created', 'healthy', 'pass', 'completed']);
const BAD = new Set(['failed', 'backoff', 'ERROR', 'unhealthy', 'deleted', 'FAIL', 'fail', 'aborted']);

/** Colour where the terminal has it; NO_COLOR is honoured. The word itself always says it too. */
export function tint(word: string): string {
  if (GOOD.has(word)) return styleText('green', word);
  if (BAD.has(word)) return styleText('red', word);
  return word === 'unchanged' || word === 'stopped' ? styleText('dim', word) : styleText('yellow', word);
}

export function age(from: string | undefined, now: number): string {
  if (from === undefined) return '-';
  const seconds = Math.max(0, Math.round((now - Date.parse(from)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)}h` : `${Math.round(seconds / 86_400)}d`;
}

export function bytes(count: number): string {
  if (count < 10_000) return `${count} B`;
  return count < 10_000_000 ? `${Math.round(count / 1024)} KiB` : `${Math.round(count / 1024 ** 2)} MiB`;
}

/** A terminal gets nothing that would steer it, from wherever the text has come; a program that reads a pipe gets it as it is. */
export function print(text: string): void {
  process.stdout.write(process.stdout.isTTY ? printable(text) : text);
}

export function note(text: string): void {
  process.stderr.write(`${process.stderr.isTTY ? printable(text) : text}\n`);
}

/** Writes over all that the terminal shows. */
export function printAnew(text: string): void {
  process.stdout.write(`\u001b[2J\u001b[H${printable(text)}`);
}
