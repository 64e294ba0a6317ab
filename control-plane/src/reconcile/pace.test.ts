import { setImmediate as turnOfLoop, setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createPace } from './pace.ts';

function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

it('runs at once, one run at a time, and once more for all wishes meanwhile', async () => {
  const open = Promise.withResolvers<undefined>();
  let runs = 0;
  const pace = createPace(async () => {
    runs += 1;
    await open.promise;
  });
  pace.ask();
  expect(runs).toBe(1);
  pace.ask();
  pace.ask();
  await turnOfLoop();
  expect(runs).toBe(1);
  open.resolve(undefined);
  while (runs < 2) await sleep(1);
  await sleep(20);
  expect(runs).toBe(2);
  await pace.close();
});

it('leaves others as much time as its own runs take, however often it is asked', async () => {
  let [ran, others] = [0, 0];
  const pace = createPace(() => {
    ran += 1;
    busy(10);
    pace.ask();
  });
  const timer = setInterval(() => (others += 1), 1);
  pace.ask();
  while (ran < 20) await sleep(5);
  clearInterval(timer);
  // Without a rest it would be the one timer between two runs.
  expect(others).toBeGreaterThan(1.5 * ran);
  await pace.close();
});

it('begins nothing after it is closed', async () => {
  let runs = 0;
  const pace = createPace(() => {
    runs += 1;
    busy(20);
  });
  pace.ask();
  pace.ask();
  await pace.close();
  pace.ask();
  expect(runs).toBe(1);
});
