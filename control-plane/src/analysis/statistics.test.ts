import { describe, expect, it } from 'vitest';
import { alphaOf, fewerThanRate, quantile, slowerThan, worseProportion, worseThanRate } from './statistics.ts';

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

  it('tells how likely a bad version would look good', () => {
    expect(fewerThanRate({ bad: 0, all: 29 }, 0.1)).toBeCloseTo(0.9 ** 29, 10);
    expect(fewerThanRate({ bad: 1, all: 2 }, 0.5)).toBeCloseTo(0.75, 10);
    expect(fewerThanRate({ bad: 2, all: 2 }, 0.5)).toBe(1);
    expect(fewerThanRate({ bad: 1, all: 2 }, 1.1)).toBe(0);
  });

  it('counts what is slow, and finds quantiles', () => {
    const histogram = [
      { upToMs: 10, count: 30 },
      { upToMs: 20, count: 20 },
      { upToMs: 40, count: 10 },
    ];
    expect(slowerThan(histogram, 20)).toEqual({ bad: 10, all: 60 });
    expect(slowerThan(histogram, 15)).toEqual({ bad: 10, all: 60 });
    expect(slowerThan(histogram, 5)).toEqual({ bad: 60, all: 60 });
    expect(slowerThan([], 5)).toEqual({ bad: 0, all: 0 });
    expect(quantile(histogram, 0.5)).toBe(10);
    expect(quantile(histogram, 0.99)).toBe(40);
    expect(quantile([], 0.5)).toBeUndefined();
  });

  it('never spends more than all looks may', () => {
    let spent = 0;
    for (let look = 1; look <= 100_000; look += 1) spent += 4 * alphaOf(0.01, 4, look);
    expect(spent).toBeLessThan(0.01);
    expect(spent).toBeGreaterThan(0.0099);
  });
});
