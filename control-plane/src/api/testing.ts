/** For tests: whether an answer is what its schema says, all of it and nothing else. */
import type { z } from 'zod';
import { issuesOf } from '../model/parse.ts';
import { differences } from '../registry/diff.ts';

export function faultsOf(schema: z.ZodType, answer: unknown): string[] {
  const result = schema.safeParse(answer);
  if (!result.success) return issuesOf(result.error).map(({ path, message }) => `${path}: ${message}`);
  // Where parsing puts a default, the schema of the document says that the field is always there.
  return differences(answer, result.data).map(({ path }) => `${path}: is not as the schema has it`);
}
