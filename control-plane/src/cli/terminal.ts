/** The only writer to the terminal: results on stdout, everything else on stderr, colours where the stream shows them. */
import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

export interface Terminal {
  /** A line of the result. */
  out(line: string): void;
  /** Text of the result as it is. */
  write(text: string): void;
  /** A line about what is being done. */
  note(line: string): void;
  /** For stdout. */
  style(style: Style, text: string): string;
  /** For stderr. */
  noteStyle(style: Style, text: string): string;
  /** A person sits there: questions may be asked. */
  readonly interactive: boolean;
  /** Yes or no, on stderr; anything but yes is no. */
  confirm(question: string): Promise<boolean>;
}

export function createTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  return {
    out: (line) => void stdout.write(`${line}\n`),
    write: (text) => void stdout.write(text),
    note: (line) => void stderr.write(`${line}\n`),
    style: (style, text) => styleText(style, text, { stream: stdout }),
    noteStyle: (style, text) => styleText(style, text, { stream: stderr }),
    interactive: stdin.isTTY && stderr.isTTY,
    async confirm(question) {
      const lines = createInterface({ input: stdin, output: stderr });
      try {
        return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
      } finally {
        lines.close();
      }
    },
  };
}

/** Text from outside without what would steer the terminal: control characters become `?`. */
export function harmless(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
