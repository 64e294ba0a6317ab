/** A line of the log as people read it: when, how bad, what, and of which thing. Pure. */
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

const STYLES: Readonly<Record<string, Style>> = {
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
  debug: 'dim',
  trace: 'dim',
};
/** Said already, or of no use to a person. */
const LEFT_OUT = new Set(['level', 'time', 'pid', 'msg', 'error', 'requestId']);

const shown = (value: unknown): string =>
  typeof value === 'string' && !/[\s"\p{C}]/u.test(value) ? value : JSON.stringify(value);
const words = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
/** A terminal would obey it, and it may be anybody's text. */
const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, '\uFFFD');

/** `line`: JSON. What is none is given back as it is. */
export function logText(line: string, colour: boolean): string {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const paint = (style: Style, text: string): string =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const { level, time, msg, error } = fields;
  const word = String(level);
  const style = STYLES[word];
  const at = new Date(String(time));
  const clock = Number.isNaN(at.getTime()) ? '' : at.toTimeString().slice(0, 8);
  const why = typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : error;
  const details = Object.entries(fields)
    .filter(([name]) => !LEFT_OUT.has(name))
    .map(([name, value]) => `${name}=${shown(value)}`)
    .join(' ');
  const parts = [
    paint('dim', clock),
    style === undefined ? '' : paint(style, word),
    plain(words(msg) + (why === undefined ? '' : `: ${words(why)}`)),
    details === '' ? '' : paint('dim', plain(details)),
  ];
  return `${parts.filter((part) => part !== '').join('  ')}\n`;
}
