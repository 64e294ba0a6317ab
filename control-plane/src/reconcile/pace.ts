/**
 * Runs work when it is asked for, one run at a time; wishes meanwhile are one more run. After a run it rests as long as that took: what is
 * wished for all the time (by ten thousand checks that end one by one) gets half of the process, and connections and callers the other.
 */
import { setImmediate as yieldToOthers, setTimeout as sleep } from 'node:timers/promises';

export interface Pace {
  ask(): void;
  /** Resolves when no run is under way; none begins any more. */
  close(): Promise<void>;
}

/** A rest so short is none. */
const SHORT_MS = 2;

/** `work` handles its own errors. */
export function createPace(work: () => Promise<void> | void): Pace {
  let wished = false;
  let closed = false;
  let isRunning = false;
  let running: Promise<void> | undefined;
  const rest = new AbortController();
  const isWished = (): boolean => wished && !closed;

  async function run(): Promise<void> {
    while (isWished()) {
      wished = false;
      const start = performance.now();
      await work();
      const took = performance.now() - start;
      if (took < SHORT_MS) await yieldToOthers();
      else await sleep(took, undefined, { ref: false, signal: rest.signal }).catch(() => undefined);
    }
    isRunning = false;
  }

  return {
    ask() {
      wished = true;
      if (closed || isRunning) return;
      // Not told by the promise: the work may ask again before there is one.
      isRunning = true;
      running = run();
    },
    async close() {
      closed = true;
      rest.abort();
      await running;
    },
  };
}
