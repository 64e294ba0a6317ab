/**
 * The recorder: takes what happens, adds it up in memory, and hands each finished ten seconds to the rings. What happens often (a report of
 * a session's bytes) costs a look into two maps.
 */
import { FINEST, slotStart } from './levels.ts';
import { COVERAGE, METRICS, metricOf, type Labels, type MetricName } from './metrics.ts';
import type { Rings, SlotData } from './rings.ts';
import { emptySummary, note, type Slot, type Summary } from './summary.ts';

export interface Recorder {
  /** For counters. */
  add(metric: MetricName, labels: Labels, amount: number): void;
  /** For histograms, and for gauges while a slot is looked at. In the metric's unit. */
  observe(metric: MetricName, labels: Labels, value: number): void;
  /** The time may have moved on: finishes what is over. Call it about once a second. */
  tick(): void;
  /** Writes what there is of the unfinished slot; the next run adds the rest to it. */
  close(): void;
  /** Start of the newest finished slot. */
  finished(): number;
  /** Told after each. */
  subscribe(listener: () => void): () => void;
}

export interface RecorderOptions {
  readonly rings: Rings;
  readonly now: () => number;
  /** Called once at the end of each slot to observe the gauges. */
  readonly look: (recorder: Pick<Recorder, 'observe'>) => void;
}

const scales = new Map<string, number>(METRICS.map((metric) => [metric.name, metric.scale]));

export function createRecorder({ rings, now, look }: RecorderOptions): Recorder {
  const listeners = new Set<() => void>();
  let start = slotStart(now(), FINEST);
  /** From when on this slot was recorded: its start, or that of the process. */
  let since = now();
  let data: SlotData = new Map();
  let newest = start - FINEST.stepMs;

  function summaryOf(metric: string, labels: Labels): Summary {
    let slot: Slot | undefined = data.get(metric);
    if (slot === undefined) data.set(metric, (slot = new Map<number, Summary>()));
    const id = rings.names.idOf(labels);
    let summary = slot.get(id);
    if (summary === undefined) slot.set(id, (summary = emptySummary(metricOf(metric)?.kind ?? 'gauge')));
    return summary;
  }

  function observe(metric: MetricName, labels: Labels, value: number): void {
    if (!(value >= 0)) return;
    note(summaryOf(metric, labels), Math.round(value * (scales.get(metric) ?? 1)));
  }

  function finish(until: number, looks: 0 | 1): void {
    if (looks === 1) look({ observe });
    const coverage = summaryOf(COVERAGE, {});
    coverage.n += looks;
    coverage.sum += Math.max(0, Math.min(Math.round(until - since), FINEST.stepMs));
    const [at, finished] = [start, data];
    data = new Map();
    start = slotStart(now(), FINEST);
    since = until;
    newest = Math.max(newest, at);
    rings.finish(at, finished);
    for (const listener of listeners) listener();
  }

  return {
    add(metric, labels, amount) {
      if (!(amount > 0)) return;
      const summary = summaryOf(metric, labels);
      const scaled = Math.round(amount * (scales.get(metric) ?? 1));
      summary.n += scaled;
      summary.sum += scaled;
    },
    observe,
    finished: () => newest,
    tick() {
      const present = slotStart(now(), FINEST);
      if (present === start) return;
      const over = start + FINEST.stepMs;
      finish(over, 1);
      // A machine that slept, or a clock that was set, leaves a gap rather than a slot that is too long.
      if (present !== over) since = now();
    },
    close() {
      // Nobody is asked any more: what would answer is ending too.
      finish(now(), 0);
      listeners.clear();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
