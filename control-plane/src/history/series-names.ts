/** Labels to small numbers and back. A series that no ring can hold any more is forgotten, so that a year of new instances leaves nothing. */
import { LABELS, type Labels } from './metrics.ts';
import { LEVELS, keptMs } from './levels.ts';
import type { StoredSeries } from './series-store.ts';

const HOUR_MS = 3_600_000;
/** A little longer than the longest ring. */
const LIFE_MS = keptMs(LEVELS[2]) + 2 * HOUR_MS;

export interface SeriesNames {
  idOf(labels: Labels): number;
  labelsOf(id: number): Labels | undefined;
  /** These have values now. */
  see(ids: Iterable<number>, at: number): void;
  /** What is to be written since the last call, and which ids are given up. */
  changes(now: number): { series: StoredSeries[]; forget: number[] };
}

const textOf = (labels: Labels): string =>
  JSON.stringify(
    Object.fromEntries(LABELS.flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]]))),
  );

export function createSeriesNames(stored: readonly StoredSeries[]): SeriesNames {
  const byId = new Map<number, { text: string; labels: Labels; seenAt: number }>();
  const byText = new Map<string, number>();
  /** The same labels object comes again and again. */
  const byObject = new WeakMap<Labels, number>();
  const changed = new Set<number>();
  let next = 1;
  for (const { id, labels, seenAt } of stored) {
    byId.set(id, { text: labels, labels: JSON.parse(labels) as Labels, seenAt });
    byText.set(labels, id);
    next = Math.max(next, id + 1);
  }
  let pruned = 0;

  return {
    idOf(labels) {
      const cached = byObject.get(labels);
      if (cached !== undefined && byId.has(cached)) return cached;
      const text = textOf(labels);
      let id = byText.get(text);
      if (id === undefined) {
        id = next;
        next += 1;
        byId.set(id, { text, labels: JSON.parse(text) as Labels, seenAt: 0 });
        byText.set(text, id);
      }
      byObject.set(labels, id);
      return id;
    },
    labelsOf: (id) => byId.get(id)?.labels,
    see(ids, at) {
      const hour = Math.floor(at / HOUR_MS) * HOUR_MS;
      for (const id of ids) {
        const known = byId.get(id);
        if (known === undefined || known.seenAt >= hour) continue;
        known.seenAt = hour;
        changed.add(id);
      }
    },
    changes(now) {
      const series = [...changed].flatMap((id) => {
        const known = byId.get(id);
        return known === undefined ? [] : [{ id, labels: known.text, seenAt: known.seenAt }];
      });
      changed.clear();
      const forget: number[] = [];
      if (now - pruned >= HOUR_MS) {
        pruned = now;
        for (const [id, { text, seenAt }] of byId) {
          // One that was only asked for, never written, has no time yet.
          if (seenAt === 0 || now - seenAt <= LIFE_MS) continue;
          byId.delete(id);
          byText.delete(text);
          forget.push(id);
        }
      }
      return { series, forget };
    },
  };
}
