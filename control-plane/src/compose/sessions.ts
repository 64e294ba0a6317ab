/** The session table as others ask it: by instance, and kept free of what was not heard of. */
import type { Instance } from '../model/instance.ts';
import type { SessionTable } from '../telemetry/sessions.ts';

const EXPIRE_MS = 1_000;

/** Open sessions on an instance, as far as they are known. */
export function sessionsAtInstance(sessions: SessionTable): (instance: Instance) => number {
  return ({ address }) =>
    address === undefined ? 0 : (sessions.counts().byUpstream.get(`${address.host}:${address.port}`) ?? 0);
}

/** Returns what ends it. */
export function keepSessionsFresh(sessions: SessionTable): () => void {
  const timer = setInterval(() => {
    sessions.expire();
  }, EXPIRE_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
