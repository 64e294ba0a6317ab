/** History as the rest sees it: what is recorded goes in, points over time come out. */
import type { Log } from '../log.ts';
import type { HistoryAnswer, HistoryQuery } from './answer.ts';
import { FINEST } from './levels.ts';
import { queryHistory } from './query.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { createRings } from './rings.ts';
import type { SeriesStore } from './series-store.ts';

export interface History {
  readonly recorder: Recorder;
  /** Error: `invalid` with the field. */
  query(query: HistoryQuery): HistoryAnswer;
  /** Start of the newest ten seconds that are finished, milliseconds since the epoch. */
  finished(): number;
  /** Told when another ten seconds are finished. */
  subscribe(listener: () => void): () => void;
  close(): void;
}

const TICK_MS = 1_000;

export function createHistory(options: {
  readonly store: SeriesStore;
  readonly now: () => number;
  readonly look: (recorder: Pick<Recorder, 'observe'>) => void;
  readonly log: Log;
}): History {
  const { store, now, look, log } = options;
  const rings = createRings(store, now());
  const recorder = createRecorder({ rings, now, look });
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      // A full disk must not end anything: the slot is lost, and the gap shows.
      log.warn({ error }, 'history could not be written');
    }
  };
  const timer = setInterval(() => {
    guarded(() => {
      recorder.tick();
    });
  }, TICK_MS);
  timer.unref();
  return {
    recorder,
    query: (query) => queryHistory(rings, query, now(), recorder.finished() + FINEST.stepMs),
    finished: () => recorder.finished(),
    subscribe: (listener) => recorder.subscribe(listener),
    close() {
      clearInterval(timer);
      guarded(() => {
        recorder.close();
      });
      store.close();
    },
  };
}
