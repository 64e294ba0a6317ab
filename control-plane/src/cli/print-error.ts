/** An error as lines for stderr: what, which fields, and what to do about it. Pure. */
import { isError, messageOf } from '../model/errors.ts';
import { UsageError } from './exit.ts';
import { harmless } from './terminal.ts';

const REMEDIES: Readonly<Partial<Record<string, string>>> = {
  unauthenticated:
    'Name the token with --token or SWITCHBOARD_TOKEN; on the server it is in the file admin.token of the data folder.',
  precondition_failed: 'Somebody else changed it meanwhile: look at it again, then repeat the command.',
};

export function errorLines(error: unknown): string[] {
  if (!isError(error)) {
    const lines = [`error: ${messageOf(error)}`];
    // A bug tells where it is; wrong usage need not.
    if (error instanceof UsageError) return [...lines, '  remedy: See the command with --help.'];
    if (error instanceof Error && error.stack !== undefined) lines.push(...error.stack.split('\n').slice(1));
    return lines;
  }
  const remedy = error.remedy ?? REMEDIES[error.code];
  return [
    `error: ${withoutIssues(error.message, error.issues.length)}`,
    ...error.issues.map(({ path, message }) => `  ${path === '' ? '' : `${path}: `}${message}`),
    ...(remedy === undefined ? [] : [`  remedy: ${remedy}`]),
  ].map((line) => harmless(line));
}

/** The server's sentence repeats its issues after a colon; here each has a line of its own. */
function withoutIssues(message: string, issues: number): string {
  const at = message.indexOf(' is not valid: ');
  return issues > 0 && at >= 0 ? message.slice(0, at + ' is not valid'.length) : message;
}
