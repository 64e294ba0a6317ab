/** Sessions that have ended lately: at most so many, at most an hour back. */
import type { EndedSession } from './session.ts';

const MOST = 5_000;
const LIFE_MS = 3_600_000;

export interface EndedSessions {
  add(session: EndedSession): void;
  /** Newest first. */
  list(): EndedSession[];
  get(id: string): EndedSession | undefined;
}

export function createEndedSessions({ now }: { now: () => number }): EndedSessions {
  // Insertion order is order of ending.
  const held = new Map<string, EndedSession>();

  function prune(): void {
    const limit = new Date(now() - LIFE_MS).toISOString();
    for (const [id, session] of held) {
      if (held.size <= MOST && session.endedAt >= limit) return;
      held.delete(id);
    }
  }

  return {
    add(session) {
      held.set(session.id, session);
      prune();
    },
    list() {
      prune();
      return [...held.values()].reverse();
    },
    get: (id) => held.get(id),
  };
}
