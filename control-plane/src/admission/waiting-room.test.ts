import { describe, expect, it, vi } from 'vitest';
import { createWaitingRoom, type Answer, type Newcomer, type Rules } from './waiting-room.ts';

const open = new AbortController().signal;

/** The nth that came. */
const by = (n: number): Newcomer => ({ id: String(n), cameAt: n });

const usual: Rules = { most: 3, waitMs: 5_000, arrivesMs: 10_000 };

function room(rules: Rules | 'none' = usual) {
  const state: { free: number; now: number; woken: number; rules: Rules | undefined } = {
    free: 0,
    now: 0,
    woken: 0,
    rules: rules === 'none' ? undefined : rules,
  };
  const made = createWaitingRoom({
    free: () => state.free,
    rulesOf: () => state.rules,
    why: () => 'nothing is free',
    onWait: () => {
      state.woken += 1;
    },
    now: () => state.now,
  });
  return { state, room: made };
}

/** What it has been answered by now. */
async function told(answer: Promise<Answer>): Promise<Answer | 'waits'> {
  return Promise.race([
    answer,
    new Promise<'waits'>((resolve) =>
      setImmediate(() => {
        resolve('waits');
      }),
    ),
  ]);
}

describe('the waiting room', () => {
  it('lets everybody through where nobody has to wait', async () => {
    const { room: made } = room('none');
    expect(await made.enter('a', by(1), open)).toEqual({ kind: 'in' });
    const { state, room: endless } = room();
    state.free = Number.POSITIVE_INFINITY;
    for (let n = 0; n < 100; n += 1) expect(await endless.enter('a', by(n), open)).toEqual({ kind: 'in' });
  });

  it('lets in as many as there are places, the first first, and gives no place twice', async () => {
    const { state, room: made } = room();
    const first = made.enter('a', by(1), open);
    const second = made.enter('a', by(2), open);
    const third = made.enter('a', by(3), open);
    expect(made.waiting('a')).toBe(3);
    expect(state.woken).toBe(3);
    state.free = 1;
    made.look();
    made.look();
    expect(await told(first)).toEqual({ kind: 'in' });
    expect(await told(second)).toBe('waits');
    made.arrived('1');
    made.look();
    expect(await told(second)).toEqual({ kind: 'in' });
    state.free = Number.POSITIVE_INFINITY;
    made.look();
    expect(await told(third)).toEqual({ kind: 'in' });
    expect([...made.services()]).toEqual([]);
  });

  it('turns away who is too many, and lets nobody overtake', async () => {
    const { state, room: made } = room({ ...usual, most: 1 });
    const first = made.enter('a', by(1), open);
    expect(await made.enter('a', by(2), open)).toEqual({
      kind: 'refused',
      message: 'nothing is free, and 1 wait already',
    });
    state.free = 5;
    expect(await told(made.enter('a', by(3), open))).toMatchObject({ kind: 'refused' });
    made.look();
    expect(await first).toEqual({ kind: 'in' });
  });

  it('forgets who leaves, and tells who has waited long enough why', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { room: made } = room();
      const leaving = new AbortController();
      const gone = made.enter('a', by(1), leaving.signal);
      const stays = made.enter('a', by(2), open);
      leaving.abort();
      expect(await gone).toEqual({ kind: 'left' });
      expect(made.waiting('a')).toBe(1);
      vi.advanceTimersByTime(4_900);
      expect(await told(stays)).toBe('waits');
      vi.advanceTimersByTime(200);
      expect(await stays).toEqual({ kind: 'refused', message: 'nothing is free within 5 s' });
      expect(made.waiting('a')).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps a place for whoever is on its way, until it is counted, has ended, or its record was lost', async () => {
    const { state, room: made } = room();
    state.free = 1;
    expect(await made.enter('a', by(1), open)).toEqual({ kind: 'in' });
    const second = made.enter('a', by(2), open);
    made.arrived('another');
    made.look();
    expect(await told(second)).toBe('waits');
    state.now = 10_000;
    made.look();
    expect(await told(second)).toEqual({ kind: 'in' });
  });

  it('goes by the order in which they came to the gateway, in whatever order they are asked for', async () => {
    const { state, room: made } = room();
    const [third, first, second] = [3, 1, 2].map(async (n) => made.enter('a', by(n), open));
    state.free = 1;
    for (const next of [first, second]) {
      made.look();
      expect(await told(next ?? Promise.reject(new Error('nobody')))).toEqual({ kind: 'in' });
      expect(await told(third ?? Promise.reject(new Error('nobody')))).toBe('waits');
      for (const id of ['1', '2']) made.arrived(id);
    }
  });

  it('lets everybody through whose service no longer wants them to wait', async () => {
    const { state, room: made } = room();
    const waits = made.enter('a', by(1), open);
    state.rules = undefined;
    made.look();
    expect(await told(waits)).toEqual({ kind: 'in' });
  });

  it('keeps services apart', async () => {
    const { room: made } = room();
    void made.enter('a', by(1), open);
    expect(made.waiting('b')).toBe(0);
    expect(made.waiting('a')).toBe(1);
  });
});
