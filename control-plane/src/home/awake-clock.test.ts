import { expect, it } from 'vitest';
import { createAwakeClock } from './awake-clock.ts';

it('stands still while the process does, and knows when that ended', () => {
  let [now, steady] = [1_000_000, 0];
  const pass = (ms: number, awake = true): void => {
    now += ms;
    if (awake) steady += ms;
  };
  const clock = createAwakeClock(
    () => now,
    () => steady,
  );
  expect([clock.elapsed(), clock.wokeAt()]).toEqual([0, 1_000_000]);
  pass(400);
  expect([clock.elapsed(), clock.wokeAt()]).toEqual([400, 1_000_000]);
  // Stopped: both clocks went on.
  pass(6_000);
  expect([clock.elapsed(), clock.wokeAt()]).toEqual([400, 1_006_400]);
  // Asleep: only the wall's did.
  pass(60_000, false);
  pass(10);
  expect([clock.wokeAt(), clock.elapsed()]).toEqual([1_066_410, 400]);
  pass(100);
  expect(clock.elapsed()).toBe(500);
  // A clock that is set back is no standstill.
  now -= 3_600_000;
  expect([clock.elapsed(), clock.wokeAt()]).toEqual([500, 1_066_410]);
  clock.close();
});
