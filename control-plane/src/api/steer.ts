/** Steers a rollout from the stage that somebody has seen. */
import { isError } from '../model/errors.ts';
import type { RolloutVerb } from '../model/rollout.ts';
import type { ApiClient } from './client.ts';
import type { WriteFlags } from './queries.ts';
import type { RolloutView, WriteAnswer } from './types.ts';

const TRIES = 5;

const isWhere = (one: RolloutView, seen: RolloutView): boolean =>
  one.number === seen.number && one.stage === seen.stage;

/**
 * The loop writes a rollout with each look at it, so its revision may be an old one as soon as it is seen. What a person's yes rests on is
 * the stage: while that is as `seen`, it is tried again at the newest revision, and the server refuses what the phase does not allow.
 * Otherwise `precondition_failed`, and nothing was done.
 */
export async function steerFrom(
  client: Pick<ApiClient, 'rollout' | 'steerRollout'>,
  seen: RolloutView,
  verb: RolloutVerb,
  flags: Omit<WriteFlags, 'expectRevision'> = {},
): Promise<WriteAnswer> {
  let expectRevision = seen.revision;
  for (let left = TRIES; ; left -= 1) {
    try {
      return await client.steerRollout(seen.service, verb, { ...flags, expectRevision });
    } catch (error) {
      if (!isError(error, 'precondition_failed') || left === 1) throw error;
      const now = await client.rollout(seen.service);
      if (!isWhere(now, seen)) throw error;
      expectRevision = now.revision;
    }
  }
}
