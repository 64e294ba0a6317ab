import { expect, it } from 'vitest';
import { SwitchboardError } from '../model/errors.ts';
import type { WriteFlags } from './queries.ts';
import { steerFrom } from './steer.ts';
import type { RolloutView, WriteAnswer } from './types.ts';

/** A rollout at `now`, which the loop writes `writes` times, once before each attempt. */
function server(now: Partial<RolloutView>, writes: number) {
  let revision = 10;
  let left = writes;
  const steered: WriteFlags[] = [];
  return {
    steered,
    rollout: async () => Promise.resolve({ ...SEEN, ...now, revision }),
    async steerRollout(_service: string, _verb: string, flags: WriteFlags = {}): Promise<WriteAnswer> {
      if (left > 0) {
        left -= 1;
        revision += 1;
      }
      if (flags.expectRevision !== revision) throw new SwitchboardError('precondition_failed', 'was changed meanwhile');
      steered.push(flags);
      return Promise.resolve({} as WriteAnswer);
    },
  };
}

const SEEN = { service: 'weather', number: 2, stage: 1, phase: 'paused', revision: 10 } as RolloutView;

it('steers what the loop has only looked at since it was seen', async () => {
  const api = server({}, 3);
  await steerFrom(api, SEEN, 'promote', { dryRun: true });
  expect(api.steered).toEqual([{ dryRun: true, expectRevision: 13 }]);
});

it.each([{ stage: 2 }, { number: 3 }] as const)('does nothing to a rollout that has gone on to %o', async (now) => {
  const api = server(now, 1);
  await expect(steerFrom(api, SEEN, 'promote')).rejects.toMatchObject({ code: 'precondition_failed' });
  expect(api.steered).toEqual([]);
});

it('gives up on a rollout that is written before each attempt', async () => {
  const api = server({}, Infinity);
  await expect(steerFrom(api, SEEN, 'promote')).rejects.toMatchObject({ code: 'precondition_failed' });
});
