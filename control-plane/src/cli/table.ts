/** Tables for terminals: columns as wide as their widest cell, East-Asian characters counted as two. Pure. */
import stringWidth from 'string-width';
import { harmless, type Style } from './terminal.ts';

export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string | number;
  readonly style?: (row: T) => Style | undefined;
  readonly align?: 'right';
  /** Shown with `-o wide` only. */
  readonly wide?: boolean;
}

export interface TableOptions {
  readonly wide?: boolean;
  readonly header?: boolean;
  /** Default: none. */
  readonly paint?: (style: Style, text: string) => string;
}

const GAP = '  ';

function pad(text: string, width: number, align: 'right' | undefined): string {
  const fill = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'right' ? fill + text : text + fill;
}

/** One line a row; no line has spaces at its end. An empty cell is shown as `-`. */
export function renderTable<T>(rows: readonly T[], columns: readonly Column<T>[], options: TableOptions = {}): string[] {
  const { wide = false, header = true, paint = (_style, text): string => text } = options;
  const shown = columns.filter((column) => wide || column.wide !== true);
  const cells = rows.map((row) =>
    shown.map((column) => {
      const text = harmless(String(column.value(row)));
      return { text: text === '' ? '-' : text, style: column.style?.(row) };
    }),
  );
  const widths = shown.map((column, index) =>
    Math.max(header ? stringWidth(column.title) : 0, ...cells.map((row) => stringWidth(row[index]?.text ?? ''))),
  );
  const line = (texts: readonly { text: string; style?: Style | undefined }[]): string =>
    texts
      .map(({ text, style }, index) => {
        const padded = pad(text, widths[index] ?? 0, shown[index]?.align);
        const last = index === texts.length - 1 ? padded.trimEnd() : padded;
        return style === undefined ? last : paint(style, last);
      })
      .join(GAP);
  const head = header ? [line(shown.map((column) => ({ text: column.title, style: 'bold' as const })))] : [];
  return [...head, ...cells.map(line)];
}
