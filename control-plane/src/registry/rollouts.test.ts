/** Versions and rollouts as the registry's commands make them, over the memory store. */
import { describe, expect, it } from 'vitest';
import { createLog } from '../log.ts';
import { isError } from '../model/errors.ts';
import type { Rollout } from '../model/rollout.ts';
import { memoryStore } from '../store/drivers/memory.ts';
import { createRegistry } from './create.ts';
import type { Registry } from './registry.ts';

const canary = { strategy: 'canary', steps: [{ weight: 10 }, { weight: 50, pause: 'manual' }] };

function document(command: string, rollout: unknown = canary, more: Record<string, unknown> = {}): object {
  return { kind: 'Service', name: 'weather', spec: { launch: { command: [command] }, replicas: 2, rollout, ...more } };
}

const by = (actor: string): { actor: string } => ({ actor });

async function fresh(): Promise<Registry> {
  const now = (): number => Date.parse('2026-01-01T00:00:00.000Z');
  const store = await memoryStore.create(memoryStore.options.parse({}), { now });
  return createRegistry({ store, now, log: createLog('silent') });
}

const rolloutOf = (registry: Registry): Rollout | undefined => registry.view().rollouts.get('weather')?.value;
const wanted = (registry: Registry): number | undefined => registry.view().services.get('weather')?.value.version;
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (isError(error) ? error.code : String(error)),
  );

describe('versions and rollouts', () => {
  it('begins none for the first version, nor for a change that runs the same', async () => {
    const registry = await fresh();
    await registry.apply([document('a')], by('ann'));
    await registry.apply([document('a', canary, { replicas: 5 })], by('ann'));
    expect(wanted(registry)).toBe(1);
    expect(rolloutOf(registry)).toBeUndefined();
    await registry.close();
  });

  it('begins one for a new version, with the strategy of that moment', async () => {
    const registry = await fresh();
    await registry.apply([document('a')], by('ann'));
    await registry.apply([document('b')], { ...by('bob'), note: 'better' });
    expect(rolloutOf(registry)).toMatchObject({ number: 1, from: 1, to: 2, phase: 'progressing', stage: 0, weight: 0 });
    expect(registry.view().versions.get('weather')?.at(-1)).toMatchObject({ number: 2, author: 'bob', note: 'better' });
    await registry.apply([document('b', { strategy: 'rolling' })], by('ann'));
    expect(rolloutOf(registry)?.strategy.strategy).toBe('canary');
    await registry.apply([document('c')], by('ann'));
    expect(rolloutOf(registry)).toMatchObject({ number: 2, from: 1, to: 3 });
    await registry.close();
  });

  it('is taken back by applying what ran before, under the number that it had', async () => {
    const registry = await fresh();
    await registry.apply([document('a')], by('ann'));
    await registry.apply([document('b')], by('ann'));
    await registry.apply([document('a')], by('bob'));
    expect(wanted(registry)).toBe(1);
    expect(rolloutOf(registry)).toMatchObject({ phase: 'aborted', reason: 'Reverted', from: 1, to: 2 });
    expect(
      registry
        .view()
        .versions.get('weather')
        ?.map((one) => one.number),
    ).toEqual([1, 2]);
    await registry.close();
  });

  it('is steered by people, each verb only where it makes sense', async () => {
    const registry = await fresh();
    expect(await codeOf(registry.steerRollout('weather', 'pause', by('ann')))).toBe('not_found');
    await registry.apply([document('a')], by('ann'));
    expect(await codeOf(registry.steerRollout('weather', 'pause', by('ann')))).toBe('not_found');
    await registry.apply([document('b')], by('ann'));
    await registry.steerRollout('weather', 'pause', by('ann'));
    expect(rolloutOf(registry)).toMatchObject({ phase: 'paused', message: 'was paused by ann' });
    expect(await codeOf(registry.steerRollout('weather', 'pause', by('ann')))).toBe('conflict');
    await registry.steerRollout('weather', 'resume', by('ann'));
    await registry.steerRollout('weather', 'promote', by('ann'));
    expect(rolloutOf(registry)).toMatchObject({ phase: 'progressing', stage: 1 });
    await registry.steerRollout('weather', 'promote-full', by('ann'));
    expect(rolloutOf(registry)?.stage).toBe(3);
    await registry.steerRollout('weather', 'abort', by('bob'));
    expect(rolloutOf(registry)).toMatchObject({ phase: 'aborted', weight: 0, endedAt: '2026-01-01T00:00:00.000Z' });
    for (const verb of ['abort', 'promote', 'resume', 'pause'] as const)
      expect(await codeOf(registry.steerRollout('weather', verb, by('ann')))).toBe('conflict');
    await registry.steerRollout('weather', 'retry', by('ann'));
    expect(rolloutOf(registry)).toMatchObject({ phase: 'progressing', number: 2, stage: 0 });
    expect(rolloutOf(registry)?.endedAt).toBeUndefined();
    await registry.close();
  });

  it('gives one of two people who act at once a conflict', async () => {
    const registry = await fresh();
    await registry.apply([document('a')], by('ann'));
    await registry.apply([document('b')], by('ann'));
    const seen = registry.view().rollouts.get('weather')?.revision ?? 0;
    const both = await Promise.all([
      codeOf(registry.steerRollout('weather', 'promote', { ...by('ann'), expectRevision: seen })),
      codeOf(registry.steerRollout('weather', 'abort', { ...by('bob'), expectRevision: seen })),
    ]);
    expect(both).toEqual(['done', 'precondition_failed']);
    await registry.close();
  });

  it('goes back to an earlier version in one step', async () => {
    const registry = await fresh();
    await registry.apply([document('a')], by('ann'));
    expect(await codeOf(registry.undo('weather', undefined, by('ann')))).toBe('not_found');
    await registry.apply([document('b')], by('ann'));
    await registry.writeRollouts([
      {
        service: 'weather',
        revision: registry.view().rollouts.get('weather')?.revision ?? 0,
        patch: { phase: 'completed' },
      },
    ]);
    await registry.undo('weather', undefined, by('ann'));
    expect(wanted(registry)).toBe(1);
    expect(rolloutOf(registry)).toMatchObject({ from: 2, to: 1, stage: 3 });
    expect(await codeOf(registry.undo('weather', 9, by('ann')))).toBe('not_found');
    await registry.close();
  });

  it('passes over what the loop decided on an older state', async () => {
    const registry = await fresh();
    await registry.apply([document('a')], by('ann'));
    await registry.apply([document('b')], by('ann'));
    const revision = registry.view().rollouts.get('weather')?.revision ?? 0;
    await registry.steerRollout('weather', 'abort', by('ann'));
    await registry.writeRollouts([{ service: 'weather', revision, patch: { phase: 'completed' } }]);
    expect(rolloutOf(registry)?.phase).toBe('aborted');
    await registry.close();
  });

  it('keeps a history of versions, with those that are used or pinned', async () => {
    const registry = await fresh();
    await registry.apply([document('v1')], by('ann'));
    await registry.pinVersion('weather', 1, true, by('ann'));
    for (let n = 2; n <= 30; n += 1) {
      await registry.apply([document(`v${n}`)], by('ann'));
      const { revision = 0 } = registry.view().rollouts.get('weather') ?? {};
      await registry.writeRollouts([{ service: 'weather', revision, patch: { phase: 'completed' } }]);
    }
    const kept =
      registry
        .view()
        .versions.get('weather')
        ?.map((one) => one.number) ?? [];
    expect(kept.length).toBeLessThanOrEqual(20);
    expect(kept[0]).toBe(1);
    expect(kept.at(-1)).toBe(30);
    expect(await codeOf(registry.pinVersion('weather', 5, true, by('ann')))).toBe('not_found');
    await registry.close();
  });

  it('goes with its service', async () => {
    const registry = await fresh();
    await registry.apply([document('a')], by('ann'));
    await registry.apply([document('b')], by('ann'));
    await registry.remove('Service', 'weather', by('ann'));
    expect(registry.view().rollouts.size).toBe(0);
    await registry.close();
  });

  it.each([
    [{ strategy: 'canary', steps: [{ weight: 50 }, { weight: 10 }] }, 'spec.rollout.steps'],
    [{ strategy: 'canary', steps: [{ weight: 101 }] }, 'spec.rollout.steps.0.weight'],
    [{ strategy: 'rolling', surge: '200%' }, 'spec.rollout.surge'],
    [{ strategy: 'magic' }, 'spec.rollout.strategy'],
    [{ strategy: 'rolling', steps: [] }, 'spec.rollout.steps'],
  ])('refuses %j and names the field', async (rollout, path) => {
    const registry = await fresh();
    const error: unknown = await registry.apply([document('a', rollout)], by('ann')).then(
      () => undefined,
      (refused: unknown) => refused,
    );
    expect(isError(error) && error.issues.map((issue) => issue.path)).toContain(path);
    await registry.close();
  });
});
