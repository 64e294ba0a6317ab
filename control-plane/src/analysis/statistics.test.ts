import { describe, expect, it } from 'vitest';
import { alphaOf, quantile, slower, worseProportion, worseThanRate } from './statistics.ts';

describe('statistics', () => {
  it("gives Fisher's figures", () => {
    // The lady tasting tea: 3 of 4 right, and all 4.
    expect(worseProportion({ bad: 3, all: 4 }, { bad: 1, all: 4 })).toBeCloseTo(17 / 70, 10);
    expect(worseProportion({ bad: 4, all: 4 }, { bad: 0, all: 4 })).toBeCloseTo(1 / 70, 10);
    expect(worseProportion({ bad: 0, all: 50 }, { bad: 0, all: 50 })).toBe(1);
  });

  it('is the binomial tail against a fixed rate', () => {
    expect(worseThanRate({ bad: 3, all: 3 }, 0.1)).toBeCloseTo(0.001, 10);
    expect(worseThanRate({ bad: 1, all: 2 }, 0.5)).toBeCloseTo(0.75, 10);
    expect(worseThanRate({ bad: 1, all: 10 }, 0)).toBe(0);
  });

  it('holds for many thousands too', () => {
    const alike = worseProportion({ bad: 500, all: 50_000 }, { bad: 500, all: 50_000 });
    expect(alike).toBeGreaterThan(0.45);
    expect(alike).toBeLessThan(0.56);
    expect(worseProportion({ bad: 700, all: 50_000 }, { bad: 500, all: 50_000 })).toBeLessThan(1e-7);
  });

  it('ranks latencies as Mann and Whitney do', () => {
    const fast = [{ upToMs: 10, count: 30 }];
    const slow = [{ upToMs: 20, count: 30 }];
    expect(slower(slow, fast)).toBeLessThan(1e-10);
    expect(slower(fast, slow)).toBeGreaterThan(0.999);
    expect(slower(fast, fast)).toBe(1);
    expect(quantile([...fast, ...slow], 0.5)).toBe(10);
    expect(quantile([...fast, ...slow], 0.99)).toBe(20);
    expect(quantile([], 0.5)).toBeUndefined();
  });

  it('never spends more than all looks may', () => {
    let spent = 0;
    for (let look = 1; look <= 100_000; look += 1) spent += 4 * alphaOf(0.01, 4, look);
    expect(spent).toBeLessThan(0.01);
    expect(spent).toBeGreaterThan(0.0099);
  });
});
