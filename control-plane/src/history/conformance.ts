/** What every series store must do. A driver's test calls this with a way to open it. */
import { describe, expect, it } from 'vitest';
import { LEVELS } from './levels.ts';
import type { SeriesStore } from './series-store.ts';

export interface SeriesKit {
  open(): SeriesStore;
  /** Opens what `open` made last once more; absent: it keeps nothing. */
  reopen?: () => SeriesStore;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const plain = (slots: readonly { at: number; data: Uint8Array }[]): [number, number[]][] =>
  slots.map(({ at, data }) => [at, [...data]]);

export function seriesConformance(name: string, kit: SeriesKit): void {
  describe(`series store ${name}`, () => {
    it('gives back slots of one metric and level, oldest first', () => {
      const store = kit.open();
      const slots = [30_000, 10_000, 20_000].map((at) => ({ level: 0, metric: 'a', at, data: bytes(at / 10_000) }));
      store.write({
        slots: [
          ...slots,
          { level: 0, metric: 'b', at: 10_000, data: bytes(9) },
          { level: 1, metric: 'a', at: 0, data: bytes(8) },
        ],
        series: [],
        forget: [],
      });
      expect(plain(store.read(0, 'a', 0, Infinity))).toEqual([
        [10_000, [1]],
        [20_000, [2]],
        [30_000, [3]],
      ]);
      expect(plain(store.read(0, 'a', 20_000, 30_000))).toEqual([[20_000, [2]]]);
      expect(plain(store.read(1, 'a', 0, 1))).toEqual([[0, [8]]]);
      expect(store.read(2, 'a', 0, Infinity)).toEqual([]);
      store.close();
    });

    it('overwrites the oldest when a ring is full, and a slot that is written again', () => {
      const store = kit.open();
      const { slots: size, stepMs } = LEVELS[0];
      for (let n = 0; n <= size; n += 1)
        store.write({
          slots: [{ level: 0, metric: 'a', at: n * stepMs, data: bytes(n % 250) }],
          series: [],
          forget: [],
        });
      const held = store.read(0, 'a', 0, Infinity);
      expect(held).toHaveLength(size);
      expect(held[0]?.at).toBe(stepMs);
      store.write({ slots: [{ level: 0, metric: 'a', at: size * stepMs, data: bytes(7, 7) }], series: [], forget: [] });
      expect(plain(store.read(0, 'a', size * stepMs, Infinity))).toEqual([[size * stepMs, [7, 7]]]);
      store.close();
    });

    it('knows its series until they are forgotten', () => {
      const store = kit.open();
      const one = { id: 1, labels: '{"service":"天气"}', seenAt: 5 };
      store.write({ slots: [], series: [one, { id: 2, labels: '{}', seenAt: 5 }], forget: [] });
      store.write({ slots: [], series: [{ ...one, seenAt: 6 }], forget: [2] });
      expect(store.series()).toEqual([{ ...one, seenAt: 6 }]);
      store.close();
    });

    const { reopen } = kit;
    if (reopen !== undefined)
      it('has everything after it was opened again', () => {
        const store = kit.open();
        store.write({
          slots: [{ level: 2, metric: 'a', at: 0, data: bytes(1) }],
          series: [{ id: 3, labels: '{}', seenAt: 1 }],
          forget: [],
        });
        store.close();
        const again = reopen();
        expect(plain(again.read(2, 'a', 0, 1))).toEqual([[0, [1]]]);
        expect(again.series()).toHaveLength(1);
        again.close();
      });
  });
}
