/** What of a stream waits for another type: since when, for what, and whether the wait has a limit. */
import type { Notice } from './events.ts';
import type { TypeUrl } from './snapshot.ts';
import { shortName } from './types.ts';

export interface Waits {
  /**
   * True while `what` of this type has to wait; `why` is undefined when it has not. A wait that is over its limit is told, and ends.
   */
  holdsBack(type: TypeUrl, what: string, why: string | undefined, timed: boolean, notices: Notice[]): boolean;
  messages(): string[];
  /** When the next limit is over, in milliseconds of the clock. */
  deadlines(): number[];
}

export function createWaits(limitMs: number, clock: () => number): Waits {
  const waits = new Map<string, { since: number; timed: boolean; message: string }>();
  return {
    holdsBack(type, what, why, timed, notices) {
      const key = `${shortName(type)}${what}`;
      if (why === undefined) {
        waits.delete(key);
        return false;
      }
      const message = `${key} ${why}`;
      const before = waits.get(key);
      // A limit counts from when there is one.
      const since = before?.timed === timed ? before.since : clock();
      if (!timed || clock() - since < limitMs) {
        waits.set(key, { since, timed, message });
        return true;
      }
      waits.delete(key);
      notices.push({ kind: 'late', type, message: `${message} for more than ${limitMs} ms: it is sent all the same` });
      return false;
    },
    messages: () => [...waits.values()].map(({ message }) => message),
    deadlines: () => [...waits.values()].filter(({ timed }) => timed).map(({ since }) => since + limitMs),
  };
}
