import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createDoor, type Caller, type DoorAnswer } from './door.ts';
import type { Answer } from './waiting-room.ts';

const open = new AbortController().signal;
const by = (n: number, address = '10.0.0.1'): Caller => ({ id: String(n), cameAt: n, address });
const REFUSED = { kind: 'too-many', message: '10.0.0.1 has the 2 sessions that a client may have at a' };

function door(enter: () => Promise<Answer> = async () => Promise.resolve({ kind: 'in' })) {
  const state = { now: 0, open: 0, most: 2 as number | undefined };
  const made = createDoor({
    room: { enter, arrived: () => undefined, expect: () => undefined, look: () => undefined },
    rulesOf: () => (state.most === undefined ? undefined : { most: state.most, arrivesMs: 10_000 }),
    openOf: (_service, address) => (address === '10.0.0.1' ? state.open : 0),
    onIn: () => undefined,
    now: () => state.now,
  });
  return { state, made };
}

/** What it is answered, at the latest when Envoy would have told of an end. */
async function answer(given: Promise<DoorAnswer>): Promise<DoorAnswer> {
  await vi.advanceTimersByTimeAsync(400);
  return given;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('counts what a client has open and what is on its way; other clients and services are not touched', async () => {
  const { state, made } = door();
  state.open = 1;
  expect(await made.enter('a', by(1), open)).toEqual({ kind: 'in' });
  expect(await answer(made.enter('a', by(2), open))).toEqual(REFUSED);
  expect(await made.enter('a', by(3, '10.0.0.2'), open)).toEqual({ kind: 'in' });
  expect(await made.enter('b', by(4), open)).toEqual({ kind: 'in' });
  // It never became a session.
  made.arrived('1');
  expect(await made.enter('a', by(5), open)).toEqual({ kind: 'in' });
  // Its record was lost.
  state.now = 10_000;
  expect(await made.enter('a', by(6), open)).toEqual({ kind: 'in' });
});

it('counts who waits, and no longer who left or was refused', async () => {
  const waits = Promise.withResolvers<Answer>();
  const { made } = door(async () => waits.promise);
  const both = [made.enter('a', by(1), open), made.enter('a', by(2), open)];
  expect(await answer(made.enter('a', by(3), open))).toEqual(REFUSED);
  waits.resolve({ kind: 'left' });
  await Promise.all(both);
  expect(await made.enter('a', by(4), open)).toEqual({ kind: 'left' });
});

it('lets in at once who comes back before the gateway has told that it left', async () => {
  const { state, made } = door();
  state.open = 2;
  const back = made.enter('a', by(1), open);
  const more = made.enter('a', by(2), open);
  await vi.advanceTimersByTimeAsync(100);
  state.open = 1;
  made.look();
  expect(await back).toEqual({ kind: 'in' });
  expect(await answer(more)).toEqual(REFUSED);
});

it('does not limit where no limit is set, and whose address is not known', async () => {
  const { state, made } = door();
  for (let n = 0; n < 5; n += 1) expect(await made.enter('a', by(n, ''), open)).toEqual({ kind: 'in' });
  state.most = undefined;
  for (let n = 0; n < 5; n += 1) expect(await made.enter('a', by(n), open)).toEqual({ kind: 'in' });
});
