/**
 * The rings: finished ten-second slots go in, minutes and hours are made of them. A coarse slot is written when its time is over; until then
 * it is put together in memory, and after a restart again from the finer slots, so that a kill costs the unfinished ten seconds alone.
 */
import { FINEST, LEVELS, slotStart } from './levels.ts';
import { COVERAGE, METRICS } from './metrics.ts';
import { createSeriesNames, type SeriesNames } from './series-names.ts';
import type { SeriesStore, StoredSlot } from './series-store.ts';
import { decodeSlot, encodeSlot, mergeInto, type Kind, type Slot, type Summary } from './summary.ts';

/** Everything of one slot, by metric. */
export type SlotData = Map<string, Slot>;

export interface Rings {
  readonly names: SeriesNames;
  /** Adds what was recorded in the ten seconds from `at` on, for good. */
  finish(at: number, data: SlotData): void;
  /** Slots of a metric with from <= at < to, oldest first; the newest may still be growing. */
  read(level: number, metric: string, from: number, to: number): { at: number; slot: Slot }[];
}

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  [COVERAGE, 'gauge'],
  ...METRICS.map((metric): [string, Kind] => [metric.name, metric.kind]),
]);
const kindOf = (metric: string): Kind => KINDS.get(metric) ?? 'counter';

function mergeData(target: SlotData, other: SlotData): void {
  for (const [metric, slot] of other) {
    let mine = target.get(metric);
    if (mine === undefined) target.set(metric, (mine = new Map<number, Summary>()));
    mergeInto(mine, slot, kindOf(metric));
  }
}

const encoded = (level: number, at: number, data: SlotData): StoredSlot[] =>
  [...data].map(([metric, slot]) => ({ level, metric, at, data: encodeSlot(slot, kindOf(metric)) }));

const coveredMs = (slot: Slot | undefined): number =>
  [...(slot?.values() ?? [])].reduce((all, { sum }) => all + sum, 0);

export function createRings(store: SeriesStore, startedAt: number): Rings {
  const names = createSeriesNames(store.series());
  /** By level: the slot that is growing. Level 0 has none: its slots come whole. */
  const growing = new Map<number, { at: number; data: SlotData }>();
  let newest = 0;

  const readStored = (level: number, metric: string, from: number, to: number): { at: number; slot: Slot }[] =>
    store.read(level, metric, from, to).map(({ at, data }) => ({ at, slot: decodeSlot(data, kindOf(metric)) }));

  function storedData(level: number, at: number): SlotData {
    const data: SlotData = new Map();
    for (const metric of KINDS.keys()) {
      const [before] = readStored(level, metric, at, at + 1);
      if (before !== undefined) data.set(metric, before.slot);
    }
    return data;
  }

  /** Adds finer data to the growing slot of a level; returns the slot that this completes by beginning another. */
  function grow(level: number, at: number, data: SlotData): StoredSlot[] {
    const definition = LEVELS[level];
    if (definition === undefined) return [];
    const start = slotStart(at, definition);
    const present = growing.get(level);
    if (present?.at === start) {
      mergeData(present.data, data);
      return [];
    }
    const done = present === undefined ? [] : complete(level, present);
    const fresh: SlotData = at <= newest ? storedData(level, start) : new Map<string, Slot>();
    mergeData(fresh, data);
    growing.set(level, { at: start, data: fresh });
    return done;
  }

  function complete(level: number, { at, data }: { at: number; data: SlotData }): StoredSlot[] {
    growing.delete(level);
    return encoded(level, at, data);
  }

  /** Those whose time is over by `now`. */
  function completeUntil(now: number): StoredSlot[] {
    return [...growing].flatMap(([level, present]) =>
      present.at + (LEVELS[level]?.stepMs ?? 0) <= now ? complete(level, present) : [],
    );
  }

  /** Makes what was not yet made when the process ended, from the finer slots that are there. */
  function catchUp(): void {
    for (const [level, definition] of LEVELS.entries()) {
      if (level === 0) continue;
      const done = store.read(level, COVERAGE, 0, Infinity).at(-1);
      // The newest may have been written before its time was over, by a clock that was set: it is made anew where the finer slots tell more.
      const from = done?.at ?? 0;
      const byTime = new Map<number, SlotData>();
      for (const metric of KINDS.keys()) {
        for (const { at, slot } of readStored(level - 1, metric, from, Infinity)) {
          let data = byTime.get(at);
          if (data === undefined) byTime.set(at, (data = new Map<string, Slot>()));
          data.set(metric, slot);
        }
      }
      if (done !== undefined) {
        const finer = [...byTime].filter(([at]) => at < done.at + definition.stepMs);
        const told = finer.reduce((sum, [, data]) => sum + coveredMs(data.get(COVERAGE)), 0);
        if (told < coveredMs(decodeSlot(done.data, kindOf(COVERAGE)))) for (const [at] of finer) byTime.delete(at);
      }
      const slots: StoredSlot[] = [];
      for (const [at, data] of [...byTime].sort(([a], [b]) => a - b)) slots.push(...grow(level, at, data));
      // What the finer level is still growing is not in its ring yet.
      const below = growing.get(level - 1);
      if (below !== undefined) slots.push(...grow(level, below.at, below.data));
      slots.push(...completeUntil(startedAt));
      if (slots.length > 0) store.write({ slots, series: [], forget: [] });
    }
    newest = store.read(0, COVERAGE, 0, Infinity).at(-1)?.at ?? 0;
  }
  catchUp();

  return {
    names,
    finish(at, data) {
      let whole = data;
      if (at <= newest) {
        // After a restart within a slot, or a clock that was set back, part of it is there already.
        whole = storedData(0, at);
        mergeData(whole, data);
      }
      const slots = encoded(0, at, whole);
      for (let level = 1; level < LEVELS.length; level += 1) slots.push(...grow(level, at, data));
      newest = Math.max(newest, at);
      slots.push(...completeUntil(at + FINEST.stepMs));
      for (const slot of data.values()) names.see(slot.keys(), at);
      store.write({ slots, ...names.changes(at) });
    },
    read(level, metric, from, to) {
      const found = readStored(level, metric, from, to);
      const present = growing.get(level);
      const slot = present?.data.get(metric);
      if (present !== undefined && slot !== undefined && present.at >= from && present.at < to) {
        // A part of it may be written: that of an earlier run of this process, which a growing slot is made of too.
        return [...found.filter((one) => one.at !== present.at), { at: present.at, slot }];
      }
      return found;
    },
  };
}
