/**
 * The live half of `watch`: commits in order to every iterator, from history first. A watcher asks for what comes after the
 * last revision that it was given, so there is no seam to lose or repeat anything at.
 */
import type { Commit } from './store.ts';

export interface Feed {
  /** Tells waiting watchers that there are commits to fetch. */
  announce(): void;
  /** `after(revision)` gives the commits that follow, oldest first, a batch at a time; it throws when they are gone. */
  watch(from: number, signal: AbortSignal, after: (revision: number) => readonly Commit[]): AsyncIterable<Commit>;
  close(): void;
}

export function createFeed(): Feed {
  const waiting = new Set<() => void>();
  let closed = false;

  function announce(): void {
    const all = [...waiting];
    waiting.clear();
    for (const wake of all) wake();
  }

  async function news(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  return {
    announce,
    async *watch(from, signal, after) {
      let revision = from;
      const isOver = (): boolean => signal.aborted || closed;
      while (!isOver()) {
        const commits = after(revision);
        if (commits.length === 0) {
          await news(signal);
          continue;
        }
        for (const commit of commits) {
          if (isOver()) return;
          revision = commit.revision;
          yield commit;
        }
      }
    },
    close() {
      closed = true;
      announce();
    },
  };
}
