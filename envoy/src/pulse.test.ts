import { expect, it } from 'vitest';
import { createPulse, type Beat } from './pulse.ts';

function patient() {
  let now = 0;
  const is = { admin: true, clients: true };
  const look = createPulse({
    admin: async () => Promise.resolve(is.admin),
    clients: async () => Promise.resolve(is.clients),
    clock: () => now,
  });
  return {
    is,
    /** What is seen in so many seconds, looked at every second. */
    after: async (seconds: number): Promise<(Beat | undefined)[]> => {
      const seen: (Beat | undefined)[] = [];
      for (let second = 0; second < seconds; second += 1) {
        now += 1_000;
        seen.push(await look());
      }
      return seen.filter((one) => one !== undefined);
    },
    sleep: (seconds: number): void => {
      now += seconds * 1_000;
    },
  };
}

it('is silent after seconds, and hangs only after more of them, without any answer', async () => {
  const { is, after } = patient();
  expect(new Set(await after(10))).toEqual(new Set(['answers']));
  is.admin = false;
  expect(new Set(await after(30)), 'its clients are served').toEqual(new Set(['answers']));
  is.clients = false;
  expect(new Set(await after(10))).toEqual(new Set(['silent']));
  expect((await after(6)).at(-1)).toBe('hangs');
  is.clients = true;
  expect(new Set(await after(10))).toEqual(new Set(['answers']));
});

it('does not take a standstill of the machine for one of Envoy', async () => {
  const { is, after, sleep } = patient();
  await after(4);
  is.admin = is.clients = false;
  sleep(3_600);
  expect(await after(4)).not.toContain('hangs');
  is.admin = true;
  expect(await after(4)).toContain('answers');
});
