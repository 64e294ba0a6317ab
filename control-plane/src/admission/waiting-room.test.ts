import { describe, expect, it, vi } from 'vitest';
import { createWaitingRoom, type Answer, type WaitRules } from './waiting-room.ts';

const open = new AbortController().signal;

function room(rules: WaitRules | 'none' = { most: 3, waitMs: 5_000 }) {
  const state = { free: 0, now: 0, woken: 0 };
  const made = createWaitingRoom({
    free: () => state.free,
    rulesOf: () => (rules === 'none' ? undefined : rules),
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
    expect(await made.enter('a', '1', open)).toEqual({ kind: 'in' });
    const { state, room: endless } = room();
    state.free = Number.POSITIVE_INFINITY;
    for (let n = 0; n < 100; n += 1) expect(await endless.enter('a', String(n), open)).toEqual({ kind: 'in' });
  });

  it('lets in as many as there are places, the first first, and gives no place twice', async () => {
    const { state, room: made } = room();
    const first = made.enter('a', '1', open);
    const second = made.enter('a', '2', open);
    const third = made.enter('a', '3', open);
    expect(made.waiting('a')).toBe(3);
    expect(state.woken).toBe(3);
    state.free = 1;
    made.look();
    made.look();
    expect(await told(first)).toEqual({ kind: 'in' });
    expect(await told(second)).toBe('waits');
    state.now = 1_500;
    made.look();
    expect(await told(second)).toEqual({ kind: 'in' });
    state.free = Number.POSITIVE_INFINITY;
    made.look();
    expect(await told(third)).toEqual({ kind: 'in' });
    expect(made.total()).toBe(0);
  });

  it('turns away who is too many, and lets nobody overtake', async () => {
    const { state, room: made } = room({ most: 1, waitMs: 5_000 });
    const first = made.enter('a', '1', open);
    expect(await made.enter('a', '2', open)).toEqual({
      kind: 'refused',
      message: 'nothing is free, and 1 wait already',
    });
    state.free = 5;
    expect(await told(made.enter('a', '3', open))).toMatchObject({ kind: 'refused' });
    made.look();
    expect(await first).toEqual({ kind: 'in' });
  });

  it('forgets who leaves, and lets who is asked for again wait on from where it was', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { state, room: made } = room();
      const leaving = new AbortController();
      const gone = made.enter('a', '1', leaving.signal);
      state.now = 3_000;
      leaving.abort();
      expect(await gone).toEqual({ kind: 'left' });
      expect(made.waiting('a')).toBe(0);
      const again = made.enter('a', '1', open);
      vi.advanceTimersByTime(1_900);
      expect(await told(again)).toBe('waits');
      vi.advanceTimersByTime(200);
      expect(await again).toEqual({ kind: 'refused', message: 'nothing is free within 5 s' });
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps services apart', async () => {
    const { room: made } = room();
    void made.enter('a', '1', open);
    expect(made.waiting('b')).toBe(0);
    expect(made.waiting('a')).toBe(1);
  });
});
