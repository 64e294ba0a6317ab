/** Exit codes, and how an error is told. */
import type { ErrorCode } from '../model/errors.ts';
import { isError, messageOf } from '../model/errors.ts';

export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  auth: 4,
  conflict: 5,
  timeout: 6,
  unhealthy: 7,
  interrupted: 130,
} as const;

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  invalid: EXIT.usage,
  not_found: EXIT.notFound,
  unauthenticated: EXIT.auth,
  forbidden: EXIT.auth,
  conflict: EXIT.conflict,
  precondition_failed: EXIT.conflict,
  timeout: EXIT.timeout,
  too_large: EXIT.usage,
};

/** Query parameters whose flag has another name. */
const FLAGS: Readonly<Record<string, string>> = { by: 'count' };

/** The API speaks of query parameters; who typed a command knows its flags. */
function asFlags(text: string): string {
  return text.replaceAll(/\bquery\.(\w+)/g, (_, name: string) => {
    const flag = FLAGS[name] ?? name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return `--${flag}`;
  });
}

/** Ends a command with a code of its own, such as a diff that differs. */
export class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super('');
    this.code = code;
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof Exit) return error.code;
  return isError(error) ? (BY_CODE[error.code] ?? EXIT.failure) : EXIT.failure;
}

export function tellError(error: unknown): string {
  if (error instanceof Exit) return '';
  const lines = [`error: ${messageOf(error)}`];
  if (isError(error)) {
    for (const issue of error.issues)
      if (!error.message.includes(issue.path)) lines.push(`  ${issue.path}: ${issue.message}`);
    if (error.remedy !== undefined) lines.push(`  remedy: ${error.remedy}`);
  }
  return `${asFlags(lines.join('\n'))}\n`;
}
