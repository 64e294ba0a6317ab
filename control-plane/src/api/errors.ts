/** From an error to its answer: the one table of statuses, and problem details (RFC 9457). A cause goes to the log only. */
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Log } from '../log.ts';
import { isError, type ErrorCode } from '../model/errors.ts';
import type { Problem } from './types.ts';

const STATUS: Readonly<Record<ErrorCode, ContentfulStatusCode>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  precondition_failed: 412,
  too_large: 413,
  unsupported: 422,
  rate_limited: 429,
  internal: 500,
  corrupt: 500,
  unavailable: 503,
  compacted: 410,
  timeout: 504,
};

const TITLE: Readonly<Record<ErrorCode, string>> = {
  invalid: 'The request is not valid',
  unauthenticated: 'A token is needed',
  forbidden: 'Not allowed',
  not_found: 'Not found',
  method_not_allowed: 'The path has no such method',
  conflict: 'In conflict with what is there',
  precondition_failed: 'Changed meanwhile',
  too_large: 'Too large',
  unsupported: 'Not supported',
  rate_limited: 'Too many requests',
  internal: 'An error of Switchboard',
  corrupt: 'Stored data is damaged',
  unavailable: 'Not available now',
  compacted: 'No longer known',
  timeout: 'The time is over',
};

/** What a client is told. An error that isn't ours is logged and told as `internal` alone. */
export function problemOf(error: unknown, requestId: string, log?: Log): Problem {
  const known = isError(error);
  const code: ErrorCode = known ? error.code : 'internal';
  if (STATUS[code] === 500) log?.error({ error, requestId }, 'a request failed');
  return {
    type: `urn:switchboard:error:${code}`,
    title: TITLE[code],
    status: STATUS[code],
    detail: known ? error.message : 'An unexpected error; the log has it under this request id.',
    code,
    ...(known && error.issues.length > 0 ? { issues: error.issues } : {}),
    ...(known && error.remedy !== undefined ? { remedy: error.remedy } : {}),
    requestId,
  };
}

export function answerError(error: unknown, context: Context, log: Log): Response {
  const problem = problemOf(error, context.res.headers.get('x-request-id') ?? '', log);
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
  if (problem.status === 401) headers['www-authenticate'] = 'Bearer';
  return context.body(JSON.stringify(problem), STATUS[problem.code], headers);
}
