/** A condition on one text of a request: the value of a header, a query parameter, a cookie, or the path. */
import { RE2JS } from 're2js';
import { z } from 'zod';

const LONGEST = 1024;
/** Of an expression that is compiled: a bound on the memory and time that one may take in Envoy. */
const LONGEST_REGEX = 512;

const Value = z
  .string()
  .max(LONGEST)
  // eslint-disable-next-line no-control-regex -- they are what is refused
  .regex(/^[^\x00-\x1f\x7f-\x9f]*$/, 'must not contain control characters');

function whyNoRegex(text: string): string | undefined {
  try {
    RE2JS.compile(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** RE2: linear in the length of what it reads, so no request can make it slow. No look-around, no back-references. */
export const Regex = z
  .string()
  .min(1)
  .max(LONGEST_REGEX)
  .superRefine((text, context) => {
    const problem = whyNoRegex(text);
    if (problem !== undefined)
      context.addIssue({ code: 'custom', message: `is not a regular expression that RE2 takes: ${problem}` });
  });

const Values = z.array(Value.min(1)).min(1).max(100);

export const OPERATORS = [
  'equals',
  'notEquals',
  'prefix',
  'suffix',
  'contains',
  'regex',
  'in',
  'notIn',
  'present',
] as const;

/** `regex` must match the whole value. What is absent is not equal and not in; every other operator needs the value to be there. */
export const operatorFields = {
  equals: Value.optional(),
  notEquals: Value.min(1).optional(),
  prefix: Value.min(1).optional(),
  suffix: Value.min(1).optional(),
  contains: Value.min(1).optional(),
  regex: Regex.optional(),
  in: Values.optional(),
  notIn: Values.optional(),
  /** True: it is there, whatever its value. False: it is not. */
  present: z.boolean().optional(),
  caseSensitive: z.boolean().default(true),
};

export interface Operators {
  readonly equals?: string | undefined;
  readonly notEquals?: string | undefined;
  readonly prefix?: string | undefined;
  readonly suffix?: string | undefined;
  readonly contains?: string | undefined;
  readonly regex?: string | undefined;
  readonly in?: readonly string[] | undefined;
  readonly notIn?: readonly string[] | undefined;
  readonly present?: boolean | undefined;
  readonly caseSensitive: boolean;
}

export function exactlyOne(operators: Operators, context: z.RefinementCtx): void {
  const given = OPERATORS.filter((operator) => operators[operator] !== undefined);
  if (given.length !== 1)
    context.addIssue({
      code: 'custom',
      message: `needs exactly one of ${OPERATORS.join(', ')}${given.length === 0 ? '' : `, not ${given.join(' and ')}`}`,
    });
}

/** The same condition as a text and whether it is to hold or to fail. */
export interface Test {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains' | 'regex' | 'in' | 'present';
  readonly text: string;
  readonly list: readonly string[];
  readonly negated: boolean;
  readonly ignoreCase: boolean;
}

export function testOf(operators: Operators): Test {
  const test = (kind: Test['kind'], value: string | readonly string[], negated = false): Test => ({
    kind,
    text: typeof value === 'string' ? value : '',
    list: typeof value === 'string' ? [] : value,
    negated,
    ignoreCase: !operators.caseSensitive,
  });
  const { equals, notEquals, prefix, suffix, contains, regex, present } = operators;
  if (equals !== undefined) return test('exact', equals);
  if (notEquals !== undefined) return test('exact', notEquals, true);
  if (prefix !== undefined) return test('prefix', prefix);
  if (suffix !== undefined) return test('suffix', suffix);
  if (contains !== undefined) return test('contains', contains);
  if (regex !== undefined) return test('regex', regex);
  if (operators.in !== undefined) return test('in', operators.in);
  if (operators.notIn !== undefined) return test('in', operators.notIn, true);
  return test('present', '', present === false);
}

export const escapeRegex = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** What servers take for one, in an expression. */
export const SLASH = String.raw`(?:[/\\]|%2[fF]|%5[cC])`;

/** An expression for all spellings of a part of a path that are the same in normal form (RFC 3986, and what servers take for a slash). */
function anySpelling(text: string): string {
  return text.replace(/./gs, (char) => {
    if (char === '/') return `${SLASH}+`;
    if (!/[\w.~-]/.test(char)) return escapeRegex(char);
    const hex = char.charCodeAt(0).toString(16);
    const either = hex.replace(/[a-f]/, (digit) => `[${digit}${digit.toUpperCase()}]`);
    return `(?:${escapeRegex(char)}|%${either})`;
  });
}

/** What a path must match as a whole, for those of a match that are no literal path: the same for Envoy and for what explains it. */
export function pathRegex(
  path: { readonly suffix: string } | { readonly contains: string } | { readonly regex: string },
): string {
  if ('suffix' in path) return `.*${anySpelling(path.suffix)}`;
  return 'contains' in path ? `.*${anySpelling(path.contains)}.*` : path.regex;
}

function holds(test: Test, value: string): boolean {
  // ASCII only, as in Envoy.
  const fold = (text: string): string =>
    test.ignoreCase ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : text;
  const [given, wanted] = [fold(value), fold(test.text)];
  switch (test.kind) {
    case 'exact':
      return given === wanted;
    case 'prefix':
      return given.startsWith(wanted);
    case 'suffix':
      return given.endsWith(wanted);
    case 'contains':
      return given.includes(wanted);
    case 'in':
      return test.list.some((one) => fold(one) === given);
    case 'regex':
      return RE2JS.compile(test.text, test.ignoreCase ? RE2JS.CASE_INSENSITIVE : 0).matches(value);
    case 'present':
      return true;
  }
}

/** `value` undefined: the request has none. */
export function passes(test: Test, value: string | undefined): boolean {
  return (value !== undefined && holds(test, value)) !== test.negated;
}

/** In words, such as `equals "gold"`. */
export function inWords(test: Test): string {
  const quoted =
    test.kind === 'in' ? test.list.map((one) => JSON.stringify(one)).join(', ') : JSON.stringify(test.text);
  const words = {
    exact: test.negated ? 'is not' : 'equals',
    prefix: 'starts with',
    suffix: 'ends with',
    contains: 'contains',
    regex: 'matches',
    in: test.negated ? 'is none of' : 'is one of',
    present: test.negated ? 'is absent' : 'is present',
  };
  return test.kind === 'present' ? words.present : `${words[test.kind]} ${quoted}`;
}
