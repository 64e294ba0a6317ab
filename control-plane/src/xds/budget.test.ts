import { expect, it } from 'vitest';
import { createBudget, type Budget, type Owner } from './budget.ts';
import { time, type Time } from './testing.ts';

const KIB = 1024;

function make(bytes: number): {
  budget: Budget;
  clock: Time;
  owner: (name: string, wants?: number) => Owner;
  log: string[];
} {
  const clock = time();
  const log: string[] = [];
  const budget = createBudget({ bytes, slowMs: 1_000, clock: clock.now, timer: clock.timer });
  const owner = (name: string, wants = 0): Owner => {
    const own: Owner = {
      resume() {
        log.push(`${name} ${budget.take(own, wants) ? 'goes' : 'waits'}`);
      },
      tooSlow(ms) {
        log.push(`${name} is slow: ${ms}`);
        budget.leave(own);
      },
    };
    return own;
  };
  return { budget, clock, owner, log };
}

it('lets one go that is larger than everything, and others in their order as soon as there is room', () => {
  const { budget, owner, log } = make(1_000 * KIB);
  const [a, b, c, d] = [owner('a'), owner('b', 600 * KIB), owner('c', 600 * KIB), owner('d', 300 * KIB)];
  expect(budget.take(a, 5_000 * KIB)).toBe(true);
  expect([budget.take(b, 600 * KIB), budget.take(c, 600 * KIB), budget.take(d, 300 * KIB)]).toEqual([
    false,
    false,
    false,
  ]);
  budget.give(a, 5_000 * KIB);
  // Nobody overtakes: a large one would wait for ever.
  expect(log).toEqual(['b goes', 'c waits']);
  budget.give(b, 600 * KIB);
  expect(log.slice(2)).toEqual(['d goes', 'c goes']);
  budget.leave(c);
  budget.leave(d);
  expect(budget.taken()).toBe(0);
});

it('lets small changes go while others wait, up to twice the bound', () => {
  const { budget, owner } = make(100 * KIB);
  const [a, b] = [owner('a'), owner('b')];
  expect(budget.take(a, 100 * KIB)).toBe(true);
  expect(budget.take(b, 65 * KIB)).toBe(false);
  expect(budget.take(b, 60 * KIB)).toBe(true);
  expect(budget.take(b, 60 * KIB)).toBe(false);
});

it('ends who does not read, but only while somebody waits', () => {
  const { budget, clock, owner, log } = make(100 * KIB);
  const [stuck, slow, next] = [owner('stuck'), owner('slow'), owner('next', 90 * KIB)];
  budget.take(stuck, 60 * KIB);
  clock.advance(5_000);
  budget.take(slow, 20 * KIB);
  budget.take(slow, 20 * KIB);
  expect(log).toEqual([]);
  expect(budget.take(next, 90 * KIB)).toBe(false);
  clock.advance(1);
  expect(log).toEqual(['stuck is slow: 5001', 'next waits']);
  // It reads, if slowly.
  clock.advance(900);
  budget.give(slow, 20 * KIB);
  clock.advance(999);
  expect(log.slice(2)).toEqual(['next waits']);
  clock.advance(1);
  expect(log.slice(3)).toEqual(['slow is slow: 1000', 'next goes']);
  expect(clock.pending()).toBe(0);
});
