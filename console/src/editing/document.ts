/** YAML text on its way to the API: what is wrong with it, and where in the text a field of it stands. Pure. */
import { LineCounter, parseDocument, stringify, type Document, type Node, type Pair } from 'yaml';
import type { Issue } from '../../../control-plane/src/model/errors.ts';

export interface Problem {
  readonly from: number;
  readonly to: number;
  readonly line: number;
  readonly path: string;
  readonly message: string;
}

export interface Parsed {
  readonly document: Document;
  readonly lines: LineCounter;
  /** undefined where the text is not YAML. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
}

export function parse(text: string): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, merge: true });
  const problems = document.errors.map((error) => ({
    from: error.pos[0],
    to: Math.min(text.length, Math.max(error.pos[1], error.pos[0] + 1)),
    line: lines.linePos(error.pos[0]).line,
    path: '',
    message: error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? '',
  }));
  return {
    document,
    lines,
    value: problems.length > 0 ? undefined : (document.toJS({ maxAliasCount: 100 }) as unknown),
    problems,
  };
}

const rangeOf = (node: unknown): readonly [number, number] | undefined => {
  const range = (node as Node | undefined)?.range;
  return range === undefined || range === null ? undefined : [range[0], range[1]];
};

/** The place of `spec.launch.command.0`; of the nearest thing around it where it is absent. */
export function place(parsed: Parsed, issue: Issue): Problem {
  const path = issue.path.split('.').filter((part) => part !== '');
  for (let length = path.length; length >= 0; length -= 1) {
    const part = path.slice(0, length);
    const key = keyOf(parsed.document, part);
    const range = key ?? rangeOf(parsed.document.getIn(part, true));
    if (range === undefined || (length === 0 && path.length > 0)) continue;
    return {
      from: range[0],
      to: range[1],
      line: parsed.lines.linePos(range[0]).line,
      path: issue.path,
      message: issue.message,
    };
  }
  return { from: 0, to: 0, line: 1, path: issue.path, message: issue.message };
}

/** From the start of a key to the end of its value, if it is short; a long value is marked by its key alone. */
function keyOf(document: Document, path: readonly string[]): readonly [number, number] | undefined {
  const last = path.at(-1);
  if (last === undefined) return undefined;
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const items = (parent as { items?: unknown[] } | undefined)?.items;
  const pair = items?.find(
    (item): item is Pair<Node, Node> => String((item as { key?: { value?: unknown } }).key?.value) === last,
  );
  const key = rangeOf(pair?.key);
  if (key === undefined) return undefined;
  const value = pair?.value;
  const whole = rangeOf(value);
  return whole !== undefined && 'value' in (value as object) ? [key[0], whole[1]] : key;
}

export const toYaml = (value: unknown): string =>
  stringify(value, { lineWidth: 110, singleQuote: true, aliasDuplicateObjects: false });

/** The one stretch in which two texts differ: what is put in there alone leaves cursor and view where they are. */
export function difference(from: string, to: string): { from: number; to: number; insert: string } {
  const most = Math.min(from.length, to.length);
  let start = 0;
  while (start < most && from[start] === to[start]) start += 1;
  let end = 0;
  while (end < most - start && from.at(-1 - end) === to.at(-1 - end)) end += 1;
  return { from: start, to: from.length - end, insert: to.slice(start, to.length - end) };
}
