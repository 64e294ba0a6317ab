/** The log of one instance as it is written: the last lines, then what comes; connects again by itself. Keeps the newest lines only. */
import type { LogLine } from '../../../../control-plane/src/api/types.ts';
import { isError } from '../../../../control-plane/src/model/errors.ts';
import { shownText } from '../../../../control-plane/src/model/shown-text.ts';
import { live } from '../../live/live.svelte.ts';

const TAIL = 500;
const KEPT = 5_000;
const RETRY_MS = 1_000;
/** Lines that come within this are shown together. */
const GATHER_MS = 100;

export interface NumberedLine extends LogLine {
  readonly number: number;
}

/** Of a line that was shown before it had its end only the last stage. */
function withoutStages(lines: readonly NumberedLine[]): NumberedLine[] {
  const goesOn = new Set<string>();
  return lines
    .toReversed()
    .filter((line) => {
      const isStage = line.unfinished === true && goesOn.has(line.stream);
      goesOn.add(line.stream);
      return !isStage;
    })
    .toReversed();
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
        for await (const line of live.api.followLogs(instance, tail, signal)) {
          this.following = true;
          this.error = undefined;
          this.#add(line);
        }
      } catch (error) {
        if (signal.aborted) return;
        this.error = error;
        if (isError(error, 'not_found') || isError(error, 'unsupported')) return;
      }
      this.following = false;
      // What was missed while away can't be told from what is there: only what comes from now on is added.
      tail = 0;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #add(line: LogLine): void {
    this.#waiting.push({ ...line, text: shownText(line.text), number: this.#next });
    this.#next += 1;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.lines = withoutStages([...this.lines, ...this.#waiting]).slice(-KEPT);
      this.#waiting = [];
    }, GATHER_MS);
  }
}
