/** The one table of exit codes. */
import { isError, type ErrorCode } from '../model/errors.ts';

export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  auth: 4,
  /** Exists already, in use, or changed meanwhile. */
  conflict: 5,
  /** A wait ran out of time; what was asked for is stored. */
  timeout: 6,
  unhealthy: 7,
  interrupted: 130,
} as const;

const BY_CODE: Readonly<Record<ErrorCode, number>> = {
  invalid: EXIT.failure,
  not_found: EXIT.notFound,
  conflict: EXIT.conflict,
  precondition_failed: EXIT.conflict,
  unauthenticated: EXIT.auth,
  forbidden: EXIT.auth,
  too_large: EXIT.failure,
  rate_limited: EXIT.failure,
  unavailable: EXIT.failure,
  timeout: EXIT.timeout,
  compacted: EXIT.failure,
  corrupt: EXIT.failure,
  unsupported: EXIT.failure,
  internal: EXIT.failure,
};

/** Wrong use of the command line that only the command itself can see. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function exitCodeOf(error: unknown): number {
  if (isError(error)) return BY_CODE[error.code];
  return error instanceof UsageError ? EXIT.usage : EXIT.failure;
}
