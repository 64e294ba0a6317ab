/** From a zod error to issues with dotted paths and sentences for people. */
import type { z } from 'zod';
import { SwitchboardError, type Issue } from './errors.ts';
import { tellPlainly } from './wording.ts';

tellPlainly();

export function issuesOf(error: z.ZodError, prefix = ''): Issue[] {
  return error.issues.flatMap((issue) => flatten(issue, prefix));
}

function flatten(issue: z.core.$ZodIssue, prefix: string): Issue[] {
  const path = [...(prefix === '' ? [] : [prefix]), ...issue.path.map(String)].join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: path === '' ? key : `${path}.${key}`, message: 'unknown field' }));
  }
  // Why a key is refused is the message of its own schema.
  if (issue.code === 'invalid_key')
    return [{ path, message: `its name ${issue.issues.map((inner) => inner.message).join(', ')}` }];
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The branch that came furthest says most: the one whose first problem lies deepest.
    const deepest = [...issue.errors].sort((a, b) => (b[0]?.path.length ?? 0) - (a[0]?.path.length ?? 0))[0] ?? [];
    if ((deepest[0]?.path.length ?? 0) > 0) return deepest.flatMap((inner) => flatten(inner, path));
    return [{ path, message: [...new Set(issue.errors.flat().map((inner) => inner.message))].join(', or ') }];
  }
  return [{ path, message: issue.message }];
}

/** Parses `value`, or throws `invalid` with an issue for each wrong field, paths starting with `prefix`. */
export function parseAs<T>(schema: z.ZodType<T>, value: unknown, what: string, prefix = ''): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = issuesOf(result.error, prefix);
  throw new SwitchboardError(
    'invalid',
    `${what} is not valid: ${issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')}`,
    { issues },
  );
}
