/** Lines of logs on a terminal or a pipe: free of what would steer a terminal, with an unfinished line shown as it grows. */
import { styleText } from 'node:util';
import stringWidth from 'string-width';
import type { LogLine } from '../api/types.ts';
import { shownText } from '../model/shown-text.ts';

const COLOURS = ['cyan', 'magenta', 'yellow', 'green', 'blue'] as const;
/** A pipe can't be written over: an unfinished line is given anew at most so often. */
const AGAIN_MS = 1_000;
const CLEAR_LINE = '\r\u001b[K';

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface LogPrinter {
  /** `named`: it stands before the line. */
  show(instance: string, line: LogLine, named: boolean): void;
  /** Leaves the terminal at the start of a line. */
  end(): void;
}

/** So much of the text that a terminal has it on one row, which alone can be written over. */
function inOneRow(text: string, columns: number): string {
  if (stringWidth(text) < columns) return text;
  let shown = '';
  let width = 2;
  for (const { segment } of new Intl.Segmenter().segment(text.slice(0, 8 * columns))) {
    width += stringWidth(segment);
    if (width > columns) break;
    shown += segment;
  }
  return `${shown}…`;
}

/** `timestamps`: each line begins with its time, `-` where that is not known. */
export function logPrinter(
  output: Output,
  { timestamps, colours, now = Date.now }: { timestamps: boolean; colours: boolean; now?: () => number },
): LogPrinter {
  const seen: string[] = [];
  const shownAt = new Map<string, number>();
  const terminal = output.isTTY === true;
  /** Whose unfinished line the cursor stands behind. */
  let open: string | undefined;

  function head(instance: string, line: LogLine, named: boolean): string {
    if (!seen.includes(instance)) seen.push(instance);
    const colour = COLOURS[seen.indexOf(instance) % COLOURS.length] ?? 'cyan';
    return `${named ? `${colours ? styleText(colour, instance, { validateStream: false }) : instance} ` : ''}${timestamps ? `${line.at ?? '-'} ` : ''}`;
  }

  return {
    show(instance, line, named) {
      const source = `${line.stream} ${instance}`;
      const start = head(instance, line, named);
      if (line.unfinished === true && !terminal) {
        const last = shownAt.get(source);
        if (last !== undefined && now() - last < AGAIN_MS) return;
        shownAt.set(source, now());
      }
      const before = open === undefined ? '' : open === source ? CLEAR_LINE : '\n';
      if (line.unfinished === true && terminal) {
        const room = (output.columns ?? 80) - stringWidth(start);
        output.write(`${before}${start}${inOneRow(shownText(line.text).replaceAll('\t', ' '), Math.max(10, room))}`);
        open = source;
      } else {
        output.write(`${before}${start}${shownText(line.text, { colours })}\n`);
        open = undefined;
      }
    },
    end() {
      if (open !== undefined) output.write('\n');
      open = undefined;
    },
  };
}
