/** Codes that each sign in once, for minutes: a link can hold one where it must not hold a token. In memory alone; hashes, so that no dump has them. */
import { createHash, randomBytes } from 'node:crypto';
import { SwitchboardError } from '../model/errors.ts';

export const SIGN_IN_MS = 10 * 60_000;
/** The oldest goes for one more. */
const MOST = 100;

export interface SignIns {
  /** Good for this token. */
  make(token: string): { readonly code: string; readonly expiresAt: string };
  /** The token, once. Error: `unauthenticated`. */
  take(code: string): string;
}

const hashOf = (code: string): string => createHash('sha256').update(code).digest('base64');

export function createSignIns(now: () => number): SignIns {
  const open = new Map<string, { readonly token: string; readonly until: number }>();
  return {
    make(token) {
      // Oldest first.
      for (const [hash, { until }] of open) if (until <= now() || open.size >= MOST) open.delete(hash);
      const code = randomBytes(24).toString('base64url');
      const until = now() + SIGN_IN_MS;
      open.set(hashOf(code), { token, until });
      return { code, expiresAt: new Date(until).toISOString() };
    },
    take(code) {
      const hash = hashOf(code);
      const found = open.get(hash);
      // Before anything else: it is never taken twice.
      open.delete(hash);
      if (found !== undefined && found.until > now()) return found.token;
      throw new SwitchboardError('unauthenticated', 'the code is not known: it was used already, or is too old', {
        remedy: 'Sign in with the token in the file admin.token of the data folder.',
      });
    },
  };
}
