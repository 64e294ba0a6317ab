import { describe, expect, it } from 'vitest';
import { bucketOf, quantile, upperBound } from './buckets.ts';
import { decodeSlot, emptySummary, encodeSlot, mergeInto, note, type Slot, type Summary } from './summary.ts';

describe('buckets', () => {
  it('hold each value within a fourth of a doubling', () => {
    for (let value = 1; value < 1e9; value = value * 1.37 + 1) {
      const bucket = bucketOf(value);
      expect(upperBound(bucket)).toBeGreaterThanOrEqual(value * (1 - 1e-9));
      if (bucket > 0) expect(upperBound(bucket - 1)).toBeLessThan(value);
    }
    expect([0, 0.5, 1].map(bucketOf)).toEqual([0, 0, 0]);
  });

  it('give quantiles within 10 %, also of histograms that were added up', () => {
    const values = Array.from({ length: 2_000 }, (_, n) => Math.round(10 + ((n * 7919) % 100_003)));
    const halves: [Slot, Slot] = [new Map<number, Summary>(), new Map<number, Summary>()];
    for (const [index, value] of values.entries()) {
      const slot = halves[index % 2 === 0 ? 0 : 1];
      let summary = slot.get(1);
      if (summary === undefined) slot.set(1, (summary = emptySummary('histogram')));
      note(summary, value);
    }
    mergeInto(halves[0], halves[1], 'histogram');
    const sorted = [...values].sort((a, b) => a - b);
    for (const q of [0.5, 0.9, 0.99]) {
      const exact = sorted[Math.floor(q * sorted.length)] ?? 0;
      const found = quantile(halves[0].get(1)?.buckets ?? new Map(), q) ?? 0;
      expect(Math.abs(found - exact) / exact).toBeLessThan(0.1);
    }
    expect(halves[0].get(1)).toMatchObject({ n: 2_000, sum: values.reduce((a, b) => a + b), max: sorted.at(-1) });
  });

  it('have no quantile of nothing', () => {
    expect(quantile(new Map(), 0.5)).toBeUndefined();
  });
});

describe('the compact form', () => {
  it.each(['counter', 'gauge', 'histogram'] as const)('of a %s gives back what went in', (kind) => {
    const slot: Slot = new Map();
    for (const [id, values] of [
      [1, [0]],
      [130, [1, 127, 128, 16_384]],
      [99_999, [2 ** 31, 2 ** 45, 3]],
    ] as const) {
      const summary = emptySummary(kind);
      for (const value of values) note(summary, value);
      if (kind === 'counter') Object.assign(summary, { n: summary.sum, max: 0 });
      slot.set(id, summary);
    }
    expect(decodeSlot(encodeSlot(slot, kind), kind)).toEqual(slot);
  });
});
