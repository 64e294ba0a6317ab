/** The log of one instance as it is written: the last lines, then what comes; connects again by itself. Keeps the newest lines only. */
import type { LogLine } from '../../../../control-plane/src/api/types.ts';
import { isError } from '../../../../control-plane/src/model/errors.ts';
import { live } from '../../live/live.svelte.ts';

const TAIL = 500;
const KEPT = 5_000;
const RETRY_MS = 1_000;
/** Lines that come within this are shown together. */
const GATHER_MS = 100;

export interface NumberedLine extends LogLine {
  readonly number: number;
}

export class LogFeed {
  lines = $state.raw<readonly NumberedLine[]>([]);
  following = $state(false);
  error = $state.raw<unknown>(undefined);
  #stop = new AbortController();
  #waiting: NumberedLine[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #next = 1;

  constructor(instance: string) {
    void this.#run(instance);
  }

  close(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
  }

  async #run(instance: string): Promise<void> {
    const { signal } = this.#stop;
    let tail = TAIL;
    while (!signal.aborted) {
      try {
        for await (const { data } of live.api.followLogs(instance, tail, signal)) {
          this.following = true;
          this.error = undefined;
          this.#add(data as LogLine);
        }
      } catch (error) {
        if (signal.aborted) return;
        this.error = error;
        if (isError(error, 'not_found')) return;
      }
      this.following = false;
      // What was missed while away can't be told from what is there: only what comes from now on is added.
      tail = 0;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #add(line: LogLine): void {
    this.#waiting.push({ ...line, number: this.#next });
    this.#next += 1;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.lines = [...this.lines, ...this.#waiting].slice(-KEPT);
      this.#waiting = [];
    }, GATHER_MS);
  }
}
