/** History in memory, for stores that keep nothing on this machine: it ends with the process. */
import { LEVELS, ringPlace } from '../levels.ts';
import type { SeriesStore, StoredSeries } from '../series-store.ts';

export function memorySeries(): SeriesStore {
  const rings = new Map<string, Map<number, { at: number; data: Uint8Array }>>();
  const known = new Map<number, StoredSeries>();
  return {
    write({ slots, series, forget }) {
      for (const { level, metric, at, data } of slots) {
        const key = `${level} ${metric}`;
        let ring = rings.get(key);
        if (ring === undefined) rings.set(key, (ring = new Map<number, { at: number; data: Uint8Array }>()));
        const definition = LEVELS[level];
        if (definition !== undefined) ring.set(ringPlace(at, definition), { at, data });
      }
      for (const one of series) known.set(one.id, one);
      for (const id of forget) known.delete(id);
    },
    read(level, metric, from, to) {
      return [...(rings.get(`${level} ${metric}`)?.values() ?? [])]
        .filter(({ at }) => at >= from && at < to)
        .sort((a, b) => a.at - b.at);
    },
    series: () => [...known.values()],
    close: () => undefined,
  };
}
