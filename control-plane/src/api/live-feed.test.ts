import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createLiveFeed } from './live-feed.ts';
import { foldLive } from './live-fold.ts';
import { createLiveParts } from './live-parts.ts';
import type { LiveEvent, LiveState } from './types.ts';

/** Only what the feed looks at. */
function stateOf(revision: number, open: number, services: Readonly<Record<string, number>> = {}): LiveState {
  return {
    revision,
    status: { version: '1', sessions: { open, settled: true } },
    services: Object.entries(services).map(([name, sessions]) => ({ name, status: { sessions } })),
    instances: [],
    gateways: [{ node: 'one' }],
  } as unknown as LiveState;
}

function source() {
  const listeners = new Set<(pressing: boolean) => void>();
  const counted = { made: 0, value: 0 };
  const feed = createLiveFeed({
    state() {
      counted.made += 1;
      return stateOf(1, counted.value);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    now: () => performance.now(),
  });
  const change = (pressing = true): void => {
    counted.value += 1;
    for (const listener of listeners) listener(pressing);
  };
  return { feed, counted, change, listeners };
}

function watcher(
  feed: ReturnType<typeof createLiveFeed>,
  { changes = false, taking = async (): Promise<void> => undefined } = {},
) {
  const seen: number[] = [];
  const events: string[] = [];
  const stop = new AbortController();
  let state: LiveState | undefined;
  const sendText = async (event: string, text: string): Promise<void> => {
    events.push(event);
    state = foldLive(state, { event, data: JSON.parse(text) as unknown } as LiveEvent);
    seen.push(state.status.sessions.open);
    await taking();
  };
  const done = feed.follow({ send: async () => undefined, sendText, signal: stop.signal }, { changes });
  return { seen, events, stop, done };
}

async function until(check: () => boolean): Promise<void> {
  for (let round = 0; round < 1000 && !check(); round += 1) await sleep(5);
  expect(check()).toBe(true);
}

it('makes each state once for all who watch, and nothing when nobody does', async () => {
  const { feed, counted, change, listeners } = source();
  change();
  expect([listeners.size, counted.made]).toEqual([0, 0]);
  const watchers = Array.from({ length: 50 }, (_, n) => watcher(feed, { changes: n % 2 === 0 }));
  await until(() => watchers.every(({ seen }) => seen.length === 1));
  expect([listeners.size, counted.made]).toEqual([1, 1]);
  for (let n = 0; n < 20; n += 1) change();
  await until(() => watchers.every(({ seen }) => seen.at(-1) === 21));
  // A burst is one state, or two when the gap began in its middle.
  expect(counted.made).toBeLessThanOrEqual(3);
  expect(new Set(watchers[0]?.events.slice(1))).toEqual(new Set(['changes']));
  expect(new Set(watchers[1]?.events)).toEqual(new Set(['state']));
  for (const { stop } of watchers) stop.abort();
  await Promise.all(watchers.map(({ done }) => done));
  expect(listeners.size).toBe(0);
  change();
  const late = watcher(feed, { changes: true });
  await until(() => late.seen.length === 1);
  expect([late.seen, late.events]).toEqual([[22], ['state']]);
  late.stop.abort();
  await late.done;
});

it('lets a slow watcher skip to the newest state', async () => {
  const { feed, change } = source();
  const gate = Promise.withResolvers<undefined>();
  const slow = watcher(feed, { changes: true, taking: async () => gate.promise });
  const fast = watcher(feed);
  for (let n = 1; n <= 3; n += 1) {
    change();
    await until(() => fast.seen.at(-1) === n);
  }
  gate.resolve(undefined);
  await until(() => slow.seen.length === 2);
  expect(slow.seen).toEqual([0, 3]);
  for (const { stop, done } of [slow, fast]) {
    stop.abort();
    await done;
  }
});

it('does not let a change that presses wait for the pace of numbers', async () => {
  const { feed, change, counted } = source();
  const one = watcher(feed, { changes: true });
  await until(() => one.seen.length === 1);
  change(false);
  change();
  await until(() => one.seen.at(-1) === 2);
  // Many small ones are told together.
  for (let n = 0; n < 10; n += 1) {
    change(false);
    await sleep(20);
  }
  await until(() => one.seen.at(-1) === 12);
  expect(counted.made).toBeLessThanOrEqual(4);
  one.stop.abort();
  await one.done;
});

it('sends only what changed, and what went; what stood still stays the same object', () => {
  const parts = createLiveParts();
  parts.take(stateOf(1, 3, { a: 1, b: 2 }));
  const before = JSON.parse(parts.whole()) as LiveState;
  expect(before).toEqual(stateOf(1, 3, { a: 1, b: 2 }));
  parts.take(stateOf(1, 3, { a: 1, b: 2 }));
  expect([parts.round, parts.changedAt]).toEqual([2, 1]);
  parts.take(stateOf(2, 4, { a: 1, aa: 0, c: 3 }));
  const changes = JSON.parse(parts.since(1) ?? '') as LiveEvent['data'];
  expect(changes).toMatchObject({
    revision: 2,
    status: { sessions: { open: 4 } },
    services: [{ name: 'aa' }, { name: 'c' }],
    gone: { services: ['b'], instances: [], gateways: [] },
  });
  const after = foldLive(before, { event: 'changes', data: changes } as LiveEvent);
  expect(after).toEqual(stateOf(2, 4, { a: 1, aa: 0, c: 3 }));
  expect(after.services[0]).toBe(before.services[0]);
  expect(after.gateways).toBe(before.gateways);
  // What went and came again (b) is not told as gone.
  parts.take(stateOf(3, 4, { a: 1, b: 9, c: 3 }));
  expect(JSON.parse(parts.since(1) ?? '')).toMatchObject({ gone: { services: ['aa'] } });
  expect(JSON.parse(parts.since(3) ?? '')).toMatchObject({ gone: { services: ['aa'] } });
  expect(parts.since(-97)).toBeUndefined();
});
