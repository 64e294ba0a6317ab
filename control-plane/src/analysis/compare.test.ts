import { describe, expect, it } from 'vitest';
import { compare, type Comparison } from './compare.ts';
import { input } from './conformance.ts';

const verdict = (canary: [number, number], stable: [number, number], more: Partial<Comparison> = {}): string =>
  compare(
    {
      what: 'attempts failed',
      canary: { bad: canary[0], all: canary[1] },
      stable: { bad: stable[0], all: stable[1] },
      tolerance: 0.01,
      ...more,
    },
    input({}),
  ).verdict;

describe('two shares', () => {
  it('differ beyond chance, also before the sample is whole', () => {
    expect(verdict([4, 12], [0, 240])).toBe('fail');
    expect(verdict([1, 12], [0, 240])).toBe('waiting');
    expect(verdict([1, 30], [1, 300])).toBe('pass');
  });

  it('are compared however few the old version has: a fixed rate says nothing of what is usual here', () => {
    expect(verdict([9, 31], [8, 18])).toBe('pass');
    expect(verdict([0, 19], [8, 18])).toBe('waiting');
  });

  it('pass only when what is to be detected would have shown', () => {
    expect(verdict([0, 20], [0, 400], { detect: 0.1 })).toBe('waiting');
    expect(verdict([0, 29], [0, 400], { detect: 0.1 })).toBe('pass');
    expect(verdict([1, 29], [0, 400], { detect: 0.1 })).toBe('waiting');
    expect(verdict([1, 46], [0, 400], { detect: 0.1 })).toBe('pass');
  });

  it('are held to a fixed rate when the old version has nothing, with a whole sample', () => {
    expect(verdict([5, 19], [0, 0], { alone: 0.01 })).toBe('waiting');
    expect(verdict([5, 20], [0, 0], { alone: 0.01 })).toBe('fail');
    expect(verdict([20, 20], [0, 0])).toBe('pass');
    expect(verdict([20, 20], [0, 0], { detect: 0.2 })).toBe('pass');
  });
});
