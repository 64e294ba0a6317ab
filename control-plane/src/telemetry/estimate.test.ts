import { describe, expect, it } from 'vitest';
import { estimateEmpty } from './estimate.ts';

describe('the estimate of a drain', () => {
  const lengths = Array.from({ length: 100 }, (_, n) => (n + 1) * 1_000);

  it('is of the session that will last longest, given how old each is', () => {
    expect(estimateEmpty([], [])).toMatchObject({ ms: 0 });
    expect(estimateEmpty([0], lengths).ms).toBe(51_000);
    expect(estimateEmpty([90_000, 20_000], lengths).ms).toBe(41_000);
  });

  it('says when it can not be told, and why', () => {
    expect(estimateEmpty([5], [1, 2, 3])).toEqual({
      ms: null,
      reason: 'only 3 sessions have ended lately: too few to tell',
    });
    expect(estimateEmpty([500_000], lengths).ms).toBeNull();
  });
});
