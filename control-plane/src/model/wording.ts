/** How zod's checks are told: each message goes on a sentence that begins with the field's name. No value is repeated: it may be a secret. */
import { z } from 'zod';

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
  tuple: 'a list',
};

const FORMATS: Readonly<Record<string, string>> = {
  url: 'a URL',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  cidrv4: 'a range of IPv4 addresses',
  cidrv6: 'a range of IPv6 addresses',
  datetime: 'a time such as 2026-01-31T12:00:00Z',
  uuid: 'a UUID',
  base64: 'base64',
  json_string: 'JSON',
};

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return TYPES[Array.isArray(value) ? 'array' : typeof value] ?? typeof value;
}

function ofType(expected: string, input: unknown): string {
  const wanted = TYPES[expected] ?? expected;
  if (input === undefined) return `is missing: it must be ${wanted}`;
  // What coercion makes of a text that is no number.
  if (Number.isNaN(input) || typeOf(input) === wanted) return `must be ${wanted}`;
  return expected === 'int' && typeof input === 'number'
    ? `must be ${wanted}`
    : `must be ${wanted}, not ${typeOf(input)}`;
}

const UNITS: Readonly<Record<string, string>> = { string: 'characters', array: 'items', set: 'items', map: 'entries' };

function ofSize(origin: string, atLeast: boolean, bound: number | bigint, inclusive: boolean | undefined): string {
  const unit = UNITS[origin];
  if (unit !== undefined && atLeast && bound === 1) return 'must not be empty';
  const limit = inclusive === false ? (atLeast ? 'more than' : 'less than') : atLeast ? 'at least' : 'at most';
  return unit === undefined ? `must be ${limit} ${bound}` : `must have ${limit} ${bound} ${unit}`;
}

const oneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? `must be ${String(values[0])}` : `must be one of ${values.map(String).join(', ')}`;

/** Undefined: as zod says it. */
function wording(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return ofType(issue.expected, issue.input);
    case 'invalid_value':
      return issue.input === undefined ? `is missing: it ${oneOf(issue.values)}` : oneOf(issue.values);
    case 'too_big':
      return ofSize(issue.origin, false, issue.maximum, issue.inclusive);
    case 'too_small':
      return ofSize(issue.origin, true, issue.minimum, issue.inclusive);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_format':
      if (issue.format === 'regex') return `must match the pattern ${String(issue.pattern)}`;
      return issue.format in FORMATS ? `must be ${FORMATS[issue.format]}` : undefined;
    case 'unrecognized_keys':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return undefined;
  }
}

const before = z.config().localeError;

/** For all schemas of the process. Messages that a schema gives itself come first. */
export function tellPlainly(): void {
  z.config({ localeError: (issue) => wording(issue) ?? before?.(issue) });
}
