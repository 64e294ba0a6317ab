import { describe, expect, it } from 'vitest';
import { createCountCheck } from './count-check.ts';

const A = '127.0.0.1:9100';
const open = (count: number): Map<string, number> => new Map(count === 0 ? [] : [[A, count]]);

describe('the check of counts', () => {
  it('agrees with a report of any moment since the one before the last', () => {
    const check = createCountCheck();
    for (let second = 0; second < 50; second += 1) {
      for (let count = second * 10; count <= (second + 1) * 10; count += 1) check.counted(A, count);
      check.reported(open(second * 10 + 3));
      expect(check.correction(A)).toBe(0);
    }
  });

  it('takes over what is reported twice, and gives it back when the table is right again', () => {
    const check = createCountCheck();
    check.counted(A, 5);
    check.reported(open(5));
    check.reported(open(8));
    expect(check.correction(A)).toBe(0);
    check.reported(open(8));
    expect(check.correction(A)).toBe(3);
    check.counted(A, 8);
    check.reported(open(8));
    expect(check.correction(A)).toBe(0);
  });

  it('believes more at once while the table is known to be incomplete', () => {
    const check = createCountCheck();
    check.counted(A, 2);
    check.reported(open(1), true);
    expect(check.correction(A)).toBe(0);
    check.reported(open(7), true);
    expect(check.correction(A)).toBe(5);
    // One of those that were there before is told of.
    check.settled(A, 1);
    check.counted(A, 3);
    expect(check.correction(A)).toBe(4);
    // One more comes, and a report is older than that.
    check.counted(A, 4);
    check.reported(open(7), true);
    expect(check.correction(A)).toBe(4);
    // One that was never told of ends.
    for (let second = 0; second < 4; second += 1) check.reported(open(7), true);
    expect(check.correction(A)).toBe(3);
  });

  it('sees sessions whose end was never told, and an address that the table does not know', () => {
    const check = createCountCheck();
    check.counted(A, 4);
    for (let second = 0; second < 4; second += 1) check.reported(new Map([['127.0.0.1:9', 2]]));
    expect(check.correction(A)).toBe(-4);
    expect(check.correction('127.0.0.1:9')).toBe(2);
    check.clear();
    expect(check.corrections().size).toBe(0);
  });
});
