/** What can go wrong with a rollout, each with its one answer: never ready, two people at once, a single instance, a change in the middle of it. */
import { expect, it } from 'vitest';
import { isError } from '../../control-plane/src/model/errors.ts';
import type { RolloutVerb } from '../../control-plane/src/model/rollout.ts';
import { rolloutIs } from '../support/rollout.ts';
import { openSession } from '../support/sessions.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

const canary = { strategy: 'canary', steps: [{ weight: 50, pause: 'manual' }] };

const weather = (mark: string, spec: Record<string, unknown>, args: readonly string[] = []): Record<string, unknown> =>
  echoService('weather', spec, ['--mark', mark, ...args]);

const reaches = async (world: World, phase: string): Promise<void> => rolloutIs(world, 'weather', phase, 60_000);

const markOf = async (world: World, version: number): Promise<string> => {
  const session = await openSession(world.url('weather'), { headers: { 'x-agent-version': String(version) } });
  await session.close();
  return session.greeting.mark;
};

it('a version that never gets ready is taken back after its deadline; its processes go, sessions stay', async () => {
  const rollout = { strategy: 'rolling', progressDeadline: '3s' };
  await using world = await startWorld({ seed: [weather('one', { replicas: 2, rollout })] });
  const crowd = await world.crowd('weather', 10);
  await world.client.apply([weather('two', { replicas: 2, rollout }, ['--slow', '600000'])]);
  await reaches(world, 'aborted');
  expect(await world.client.rollout('weather')).toMatchObject({ reason: 'ProgressDeadline', weight: 0 });
  await world.until('its instances have gone', async () =>
    (await world.client.instances({ service: 'weather' })).items.every((one) => one.version === 1),
  );
  await world.ready('weather', 2);
  expect(await crowd.settle()).toMatchObject({ lost: 0, cut: 0 });
  await crowd.close();
});

it('a canary of one instance has one beside it; of two people who act at once one wins; a third version takes the place of the second', async () => {
  await using world = await startWorld({ seed: [weather('one', { rollout: canary })] });
  const crowd = await world.crowd('weather', 10);
  await world.client.apply([weather('two', { rollout: canary })]);
  await reaches(world, 'paused');
  const instances = async (): Promise<number[]> =>
    (await world.client.instances({ service: 'weather' })).items
      .filter((one) => one.state === 'ready')
      .map((one) => one.version)
      .sort();
  expect(await instances()).toEqual([1, 2]);
  await world.until('both serve', async () => (await markOf(world, 2)) === 'two' && (await markOf(world, 1)) === 'one');

  // Not a new version: what is under way goes on, with the new number of instances.
  await world.client.apply([weather('two', { rollout: canary, replicas: 2, drain: { deadline: '2h' } })]);
  expect(await world.client.rollout('weather')).toMatchObject({
    number: 1,
    phase: 'paused',
    from: 1,
    to: 2,
    weight: 50,
  });
  await world.until('the old version has two', async () => (await instances()).join() === '1,1,2');
  await world.client.scale('weather', 1);

  await world.client.apply([weather('three', { rollout: canary })]);
  expect(await world.client.rollout('weather')).toMatchObject({ number: 2, from: 1, to: 3, stage: 0 });
  await world.until('the second is not started any more', async () =>
    (await world.client.instances({ service: 'weather' })).items.every(
      (one) => one.version !== 2 || one.drain !== undefined,
    ),
  );
  await reaches(world, 'paused');
  await world.until('the third serves', async () => (await markOf(world, 3)) === 'three');

  const { revision } = await world.client.rollout('weather');
  const act = async (verb: RolloutVerb): Promise<string> =>
    world.client.steerRollout('weather', verb, { expectRevision: revision }).then(
      () => 'done',
      (error: unknown) => (isError(error) ? error.code : String(error)),
    );
  const both = await Promise.all([act('promote-full'), act('abort')]);
  expect([...both].sort()).toEqual(['done', 'precondition_failed']);
  const after = await world.client.rollout('weather');
  if (both[0] === 'done') {
    await reaches(world, 'completed');
    await world.until('only the third is left to new sessions', async () => (await instances()).join() === '3');
  } else expect(after.phase).toBe('aborted');
  expect(await crowd.settle()).toMatchObject({ lost: 0, cut: 0 });
  await crowd.close();
});
