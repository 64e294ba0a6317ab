/**
 * A session's state as the client keeps it: JSON and an HMAC over it. The key is random for each process, as a MyAgent server's
 * is unless its owner sets one, so a state is accepted only by the very process that made it.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface SessionState {
  readonly session_id: string;
  readonly agent: string;
  readonly created_at: string;
  readonly turns: number;
}

export interface StateSigner {
  sign(state: SessionState): string;
  /** Undefined: not signed by this process, or altered. */
  verify(signed: unknown): SessionState | undefined;
}

export function createSigner(key: Buffer = randomBytes(32)): StateSigner {
  const mac = (payload: string): Buffer => createHmac('sha256', key).update(payload).digest();
  return {
    sign(state) {
      const payload = Buffer.from(JSON.stringify(state)).toString('base64url');
      return `${payload}.${mac(payload).toString('base64url')}`;
    },
    verify(signed) {
      if (typeof signed !== 'string') return undefined;
      const [payload = '', signature = ''] = signed.split('.');
      const given = Buffer.from(signature, 'base64url');
      const wanted = mac(payload);
      if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
      return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as SessionState;
    },
  };
}
