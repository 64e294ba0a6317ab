/**
 * One error type for the whole control plane. Bad input, conflicts and refusals carry a code, the field and a remedy;
 * `cause` goes to logs only, never to a client. The edges map codes to HTTP status (api/errors.ts) and exit codes (cli/exit.ts).
 */
export const ERROR_CODES = [
  'invalid', // the input is wrong; `issues` name the fields
  'not_found',
  'method_not_allowed', // there is such a path, for other methods
  'conflict', // exists already, or in use
  'precondition_failed', // compare-and-set lost: the expected revision is not the present one
  'unauthenticated',
  'forbidden',
  'too_large',
  'rate_limited',
  'unavailable', // try again later: starting, closing, a port is taken, a disk is full
  'timeout',
  'compacted', // a watch asked for a revision that history no longer holds: list again
  'corrupt', // stored data is damaged or written by a newer version
  'unsupported',
  'internal', // a bug
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** One thing wrong with the input. `path` is dotted from the document's root, such as `spec.launch.command.0`. */
export interface Issue {
  path: string;
  message: string;
}

export interface ErrorDetails {
  issues?: readonly Issue[];
  /** What a person can do about it, one sentence. */
  remedy?: string;
  cause?: unknown;
}

export class SwitchboardError extends Error {
  readonly code: ErrorCode;
  readonly issues: readonly Issue[];
  readonly remedy: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'SwitchboardError';
    this.code = code;
    this.issues = details.issues ?? [];
    this.remedy = details.remedy;
  }
}

/** True for a SwitchboardError, of the given code if one is named. */
export function isError(error: unknown, code?: ErrorCode): error is SwitchboardError {
  return error instanceof SwitchboardError && (code === undefined || error.code === code);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
