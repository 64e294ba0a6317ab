import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createLiveFeed } from './live-feed.ts';

function source() {
  const listeners = new Set<() => void>();
  const counted = { made: 0, value: 0 };
  const feed = createLiveFeed({
    state() {
      counted.made += 1;
      return counted.value;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    now: () => performance.now(),
  });
  const change = (): void => {
    counted.value += 1;
    for (const listener of listeners) listener();
  };
  return { feed, counted, change, listeners };
}

function watcher(feed: ReturnType<typeof createLiveFeed>, taking: () => Promise<void> = async () => undefined) {
  const seen: string[] = [];
  const stop = new AbortController();
  const sendText = async (_: string, text: string): Promise<void> => {
    seen.push(text);
    await taking();
  };
  const done = feed.follow({ send: async () => undefined, sendText, signal: stop.signal });
  return { seen, stop, done };
}

async function until(check: () => boolean): Promise<void> {
  for (let round = 0; round < 1000 && !check(); round += 1) await sleep(5);
  expect(check()).toBe(true);
}

it('makes each state once for all who watch, and nothing when nobody does', async () => {
  const { feed, counted, change, listeners } = source();
  change();
  expect([listeners.size, counted.made]).toEqual([0, 0]);
  const watchers = Array.from({ length: 50 }, () => watcher(feed));
  await until(() => watchers.every(({ seen }) => seen.length === 1));
  expect([listeners.size, counted.made]).toEqual([1, 1]);
  for (let n = 0; n < 20; n += 1) change();
  await until(() => watchers.every(({ seen }) => seen.at(-1) === '21'));
  // A burst is one state, or two when the gap began in its middle.
  expect(counted.made).toBeLessThanOrEqual(3);
  for (const { stop } of watchers) stop.abort();
  await Promise.all(watchers.map(({ done }) => done));
  expect(listeners.size).toBe(0);
  change();
  const late = watcher(feed);
  await until(() => late.seen.length === 1);
  expect(late.seen).toEqual(['22']);
  late.stop.abort();
  await late.done;
});

it('lets a slow watcher skip to the newest state', async () => {
  const { feed, change } = source();
  const gate = Promise.withResolvers<undefined>();
  const slow = watcher(feed, async () => gate.promise);
  const fast = watcher(feed);
  for (let n = 1; n <= 3; n += 1) {
    change();
    await until(() => fast.seen.at(-1) === String(n));
  }
  gate.resolve(undefined);
  await until(() => slow.seen.length === 2);
  expect(slow.seen).toEqual(['0', '3']);
  for (const { stop, done } of [slow, fast]) {
    stop.abort();
    await done;
  }
});
