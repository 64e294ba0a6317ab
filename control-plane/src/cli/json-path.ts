/**
 * The part of kubectl's JSONPath that looks things up: `{.items[*].name}`, several of them, and text around them. What it can't do, filters and
 * functions among it, is an error that says so. Pure.
 */
import { SwitchboardError } from '../model/errors.ts';

type Step = { readonly key: string } | { readonly index: number } | { readonly all: true };

const REMEDY = {
  remedy:
    "Use fields, [*] and [0], as in '{.items[*].name}'; `{range .items[*]}...{end}` goes over a list. For more, -o json and jq.",
};
const refuse = (text: string, what: string): SwitchboardError =>
  new SwitchboardError('invalid', `--output jsonpath: ${text}: ${what}`, REMEDY);

const STEP = /^(?:\.?\[(?:(\*)|(-?\d+)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]|\.(\*)|\.([\w$-]+(?:\\\.[\w$-]+)*))/;

function stepsOf(text: string): Step[] {
  const steps: Step[] = [];
  let rest = text.replace(/^[$@]/, '');
  if (rest === '' || rest === '.') return steps;
  if (!/^[.[]/.test(rest)) rest = `.${rest}`;
  while (rest !== '') {
    const found = STEP.exec(rest);
    if (found === null) throw refuse(text, `cannot read "${rest}"`);
    const [whole, star, index, single, double, dotStar, key] = found;
    if (star !== undefined || dotStar !== undefined) steps.push({ all: true });
    else if (index !== undefined) steps.push({ index: Number(index) });
    else steps.push({ key: (single ?? double ?? key ?? '').replaceAll(/\\(.)/g, '$1') });
    rest = rest.slice(whole.length);
  }
  return steps;
}

function follow(from: readonly unknown[], steps: readonly Step[]): unknown[] {
  return steps.reduce<unknown[]>(
    (values, step) =>
      values.flatMap((value): unknown[] => {
        if (typeof value !== 'object' || value === null) return [];
        if ('all' in step) return Array.isArray(value) ? (value as unknown[]) : Object.values(value);
        if ('index' in step) return Array.isArray(value) ? (value as unknown[]).slice(step.index).slice(0, 1) : [];
        return Object.hasOwn(value, step.key) ? [(value as Record<string, unknown>)[step.key]] : [];
      }),
    [...from],
  );
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

type Part =
  | { readonly text: string }
  | { readonly path: readonly Step[] }
  | { readonly range: readonly Step[]; readonly parts: readonly Part[] };

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
const unescape = (text: string): string => text.replaceAll(/\\(.)/g, (_, one: string) => ESCAPES[one] ?? one);

/** Braces with what is in them, or text between. */
function partsOf(template: string): Part[] {
  const stack: { parts: Part[]; range: readonly Step[] }[] = [{ parts: [], range: [] }];
  const add = (part: Part): void => void stack.at(-1)?.parts.push(part);
  for (const [piece] of template.matchAll(/\{(?:"[^"]*"|'[^']*'|[^{}"'])*\}|[^{]+|\{/g)) {
    if (piece === '{') throw refuse(template, 'a { is not closed');
    if (!piece.startsWith('{')) {
      add({ text: unescape(piece) });
      continue;
    }
    const inner = piece.slice(1, -1).trim();
    const quoted = /^(?:"([^"]*)"|'([^']*)')$/.exec(inner);
    if (quoted !== null) add({ text: unescape(quoted[1] ?? quoted[2] ?? '') });
    else if (/^range\s/.test(inner)) stack.push({ parts: [], range: stepsOf(inner.slice(5).trim()) });
    else if (inner === 'end') {
      const ended = stack.length > 1 ? stack.pop() : undefined;
      if (ended === undefined) throw refuse(template, '{end} stands without a {range}');
      add(ended);
    } else add({ path: stepsOf(inner) });
  }
  if (stack.length > 1) throw refuse(template, 'a {range} has no {end}');
  return stack[0]?.parts ?? [];
}

function write(parts: readonly Part[], of: unknown): string {
  return parts
    .map((part) => {
      if ('text' in part) return part.text;
      if ('path' in part) return follow([of], part.path).map(shown).join(' ');
      return follow([of], part.range)
        .map((one) => write(part.parts, one))
        .join('');
    })
    .join('');
}

/** Gives what writes a value. Without braces it is one path. Errors: `invalid`. */
export function jsonPath(template: string): (value: unknown) => string {
  if (template.trim() === '') throw refuse('(nothing)', 'the path is missing');
  const parts = partsOf(template.includes('{') ? template : `{${template}}`);
  return (value) => write(parts, value);
}
