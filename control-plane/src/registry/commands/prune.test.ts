/** Sets and pruning as the registry does them, over the memory store. */
import { describe, expect, it } from 'vitest';
import { createLog } from '../../log.ts';
import { isError } from '../../model/errors.ts';
import type { ApplySet, WriteResult } from '../../model/write.ts';
import { memoryStore } from '../../store/drivers/memory.ts';
import { createRegistry } from '../create.ts';
import type { Registry } from '../registry.ts';

async function fresh(): Promise<Registry> {
  const now = (): number => Date.parse('2026-01-01T00:00:00.000Z');
  const store = await memoryStore.create(memoryStore.options.parse({}), { now });
  return createRegistry({ store, now, log: createLog('silent') });
}

const service = (name: string, spec: object = {}): object => ({
  kind: 'Service',
  name,
  spec: { launch: { command: ['run', name] }, ...spec },
});
const route = (name: string, target: string): object => ({
  kind: 'Route',
  name,
  spec: { match: { path: { prefix: `/${name}` } }, target: { service: target } },
});
const set = (name: string, more: Partial<ApplySet> = {}): { actor: string; set: ApplySet } => ({
  actor: 'ann',
  set: { name, prune: false, takeOver: false, ...more },
});
const names = (registry: Registry): string[] => [...registry.view().services.keys(), ...registry.view().routes.keys()];
const told = ({ changes }: WriteResult): string[] =>
  changes.map(({ kind, name, action }) => `${kind}/${name} ${action}`);
const refusal = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (isError(error) ? `${error.code}: ${error.message}` : String(error)),
  );

describe('a set', () => {
  it('is remembered, also over writes that know nothing of it', async () => {
    const registry = await fresh();
    await registry.apply([service('a'), route('r', 'a')], set('one'));
    await registry.scale('a', 3, { actor: 'bob' });
    await registry.apply([route('r', 'a')], { actor: 'bob' });
    expect(registry.view().services.get('a')?.value).toMatchObject({ set: 'one', spec: { replicas: 3 } });
    expect(registry.view().routes.get('r')?.value.set).toBe('one');
    expect(told(await registry.apply([route('r', 'a')], set('one')))).toEqual(['Route/r unchanged']);
    await registry.close();
  });

  it('takes in what was in none, without a new version, and leaves to another what is its own', async () => {
    const registry = await fresh();
    await registry.apply([service('a'), service('b')], { actor: 'bob' });
    const joined = await registry.apply([service('a')], set('one'));
    expect(joined.changes).toMatchObject([{ action: 'updated', diff: [{ path: 'set', after: 'one' }] }]);
    expect(registry.view().services.get('a')?.value.version).toBe(1);
    expect(await refusal(registry.apply([service('b'), service('a')], set('two', { prune: true })))).toBe(
      'conflict: service a belongs to the set one, not two',
    );
    expect(registry.view().services.get('b')?.value.set).toBeUndefined();
    await registry.apply([service('a')], set('two', { takeOver: true }));
    expect(registry.view().services.get('a')?.value.set).toBe('two');
    await registry.close();
  });
});

describe('pruning', () => {
  it('deletes what the set had and the documents have not, and nothing else', async () => {
    const registry = await fresh();
    await registry.apply([service('free'), route('free-route', 'free')], { actor: 'bob' });
    await registry.apply([service('other')], set('two'));
    await registry.apply([service('a'), service('b'), service('c', { dependsOn: ['b'] }), route('r', 'b')], set('one'));
    expect(told(await registry.apply([service('a')], set('one')))).toEqual(['Service/a unchanged']);

    const dry = await registry.apply([service('a')], { ...set('one', { prune: true }), dryRun: true });
    expect(told(dry)).toEqual(['Service/a unchanged', 'Route/r deleted', 'Service/c deleted', 'Service/b deleted']);
    expect(names(registry)).toHaveLength(7);
    expect(told(await registry.apply([service('a')], set('one', { prune: true })))).toEqual(told(dry));
    expect(names(registry)).toEqual(['free', 'other', 'a', 'free-route']);
    const [event] = await registry.events({ action: 'service.delete', limit: 1 });
    expect(event?.note).toContain('no longer in what the set one is applied from');
    expect(told(await registry.apply([service('a')], set('one', { prune: true })))).toEqual(['Service/a unchanged']);
    await registry.close();
  });

  it('refuses as a whole when something that stays needs what would go', async () => {
    const registry = await fresh();
    await registry.apply([service('a'), service('b')], set('one'));
    await registry.apply([route('foreign', 'b')], { actor: 'bob' });
    expect(await refusal(registry.apply([service('a', { replicas: 5 })], set('one', { prune: true })))).toBe(
      'conflict: service b is the target of route foreign',
    );
    expect(registry.view().services.get('a')?.value.spec.replicas).not.toBe(5);
    // A route that is turned elsewhere by the same documents needs it no more.
    await registry.apply([route('foreign', 'a'), service('a')], set('one', { prune: true }));
    expect(names(registry)).toEqual(['a', 'foreign']);
    expect(await refusal(registry.apply([], set('one', { prune: true })))).toContain('there is no document');
    await registry.close();
  });
});
