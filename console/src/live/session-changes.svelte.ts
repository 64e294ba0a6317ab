/**
 * Sessions that opened and ended since a list was fetched. A list of ten thousand is too much to fetch every second: it is fetched now and then,
 * for its bytes, and what comes and goes in between is laid over it from the feed.
 */
import type { Session } from '../../../control-plane/src/api/types.ts';
import { live } from './live.svelte.ts';

const RETRY_MS = 1_000;
/** Changes that come within this are shown together. */
const GATHER_MS = 1_000;

export class SessionChanges {
  /** Grows when something changed. */
  version = $state(0);
  #opened = new Map<string, { session: Session; at: number }>();
  #ended = new Map<string, number>();
  #stop = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(service: string) {
    void this.#run(service);
  }

  close(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
  }

  /** A list that was asked for at this time (milliseconds since the epoch) knows of all that came before. */
  forgetBefore(at: number): void {
    for (const [id, entry] of this.#opened) if (entry.at < at) this.#opened.delete(id);
    for (const [id, endedAt] of this.#ended) if (endedAt < at) this.#ended.delete(id);
  }

  /** The list with what came and without what went. */
  over<T extends Session>(items: readonly T[]): readonly (T | Session)[] {
    void this.version;
    if (this.#opened.size === 0 && this.#ended.size === 0) return items;
    const known = new Set(items.map((one) => one.id));
    const fresh = [...this.#opened.values()].map((one) => one.session).filter((one) => !known.has(one.id));
    return [...items.filter((one) => !this.#ended.has(one.id)), ...fresh];
  }

  async #run(service: string): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        for await (const { event, data } of live.api.watchSessions(service === '' ? {} : { service }, signal)) {
          if (event === 'opened') this.#opened.set(data.id, { session: data, at: Date.now() });
          else {
            this.#opened.delete(data.id);
            this.#ended.set(data.id, Date.now());
          }
          this.#tell();
        }
      } catch {
        // Told by the sign at the top; tried again.
      }
      if (signal.aborted) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #tell(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.version += 1;
    }, GATHER_MS);
  }
}
