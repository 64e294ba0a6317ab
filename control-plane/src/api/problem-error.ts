/** From a problem that the API has answered back to the error that it tells of; `errors.ts` has the other way. */
import { ERROR_CODES, SwitchboardError, type ErrorCode } from '../model/errors.ts';
import type { Problem } from './types.ts';

export function problemError(status: number, text: string): SwitchboardError {
  try {
    const problem = JSON.parse(text) as Partial<Problem>;
    const code = ERROR_CODES.find((one) => one === problem.code) ?? 'internal';
    return new SwitchboardError(code, problem.detail ?? `HTTP ${status}`, {
      issues: problem.issues ?? [],
      ...(problem.remedy === undefined ? {} : { remedy: problem.remedy }),
    });
  } catch {
    const code: ErrorCode = status >= 500 ? 'unavailable' : 'invalid';
    return new SwitchboardError(code, `HTTP ${status}: ${text.slice(0, 200)}`);
  }
}
