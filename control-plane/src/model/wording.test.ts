import { expect, it } from 'vitest';
import { z } from 'zod';
import { issuesOf } from './parse.ts';

const said = (schema: z.ZodType, value: unknown): string => {
  const { error } = z.strictObject({ field: schema }).safeParse(value === undefined ? {} : { field: value });
  if (error === undefined) return 'nothing';
  return issuesOf(error)
    .map(({ path, message }) => `${path} ${message}`)
    .join('; ');
};

it.each([
  [z.string(), 5, 'field must be text, not a number'],
  [z.string(), undefined, 'field is missing: it must be text'],
  [z.boolean(), 's3cr3t', 'field must be true or false, not text'],
  [z.array(z.string()), 'a', 'field must be a list, not text'],
  [z.array(z.string()), ['a', 1], 'field.1 must be text, not a number'],
  [z.strictObject({}), [], 'field must be an object, not a list'],
  [z.record(z.string(), z.string()), null, 'field must be an object, not null'],
  [z.int(), 1.5, 'field must be a whole number'],
  [z.int(), '1', 'field must be a number, not text'],
  [z.coerce.number(), 'abc', 'field must be a number'],
  [z.int().max(1_000), 2_000, 'field must be at most 1000'],
  [z.number().positive(), 0, 'field must be more than 0'],
  [z.string().min(1), '', 'field must not be empty'],
  [z.string().max(3), 'abcd', 'field must have at most 3 characters'],
  [z.array(z.string()).min(2), ['a'], 'field must have at least 2 items'],
  [z.enum(['one', 'two']), 'three', 'field must be one of one, two'],
  [z.enum(['one', 'two']), undefined, 'field is missing: it must be one of one, two'],
  [z.literal(true), false, 'field must be true'],
  [z.ipv4(), 'x', 'field must be an IPv4 address'],
  [z.string().regex(/^a$/), 'b', 'field must match the pattern /^a$/'],
  [z.string().regex(/^a$/, 'must be a'), 'b', 'field must be a'],
  [z.union([z.string(), z.boolean()]), 5, 'field must be text, not a number, or must be true or false, not a number'],
])('%# %o is told plainly', (schema, value, message) => {
  expect(said(schema, value)).toBe(message);
});
