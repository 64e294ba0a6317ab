/** Which change makes a new version: every field of a Service, changed alone. */
import { describe, expect, it } from 'vitest';
import { fieldsOf } from '../../../test/support/fields.ts';
import {
  changesInPlace,
  changesOfInstances,
  patchOf,
  whatToAdd,
  withoutSample,
} from '../../../test/support/samples.ts';
import { mergePatch } from '../api/merge-patch.ts';
import { createLog } from '../log.ts';
import { ServiceSpec } from '../model/service.ts';
import { memoryStore } from '../store/drivers/memory.ts';
import { createRegistry } from './create.ts';
import type { Registry } from './registry.ts';

const by = { actor: 'ann' };

async function fresh(): Promise<Registry> {
  const now = (): number => Date.parse('2026-01-01T00:00:00.000Z');
  const store = await memoryStore.create(memoryStore.options.parse({}), { now });
  return createRegistry({ store, now, log: createLog('silent') });
}

const surroundings = {
  command: ['agent'],
  other: 'other',
  addresses: [
    { host: '127.0.0.1', port: 9_000 },
    { host: '127.0.0.1', port: 9_001 },
  ],
};
const groups = [...changesOfInstances(surroundings), ...changesInPlace(surroundings)];
const cases = groups.flatMap(({ base, fields }) =>
  Object.entries(fields).map(([field, value]) => ({ field, base, value })),
);

/** What runs, and nothing else. */
const runs = (field: string): boolean => field === 'runtime' || field.startsWith('launch.');

describe('a new version', () => {
  it('has been asked for every field of a service', () => {
    const missing = withoutSample(fieldsOf(ServiceSpec), groups);
    expect(missing, whatToAdd(missing)).toEqual([]);
  });

  it.each(cases)('is made for what runs alone: $field', async ({ field, base, value }) => {
    const registry = await fresh();
    const spec = mergePatch({ launch: { command: ['agent'] } }, base);
    const change = field === 'runtime' ? value : patchOf(field, value);
    const other = { kind: 'Service', name: 'other', spec: { runtime: 'external' } };
    await registry.apply([other, { kind: 'Service', name: 'weather', spec }], by);
    const { changes } = await registry.apply(
      [{ kind: 'Service', name: 'weather', spec: mergePatch(spec, change) }],
      by,
    );
    expect(changes[0]?.action).toBe('updated');
    expect(registry.view().services.get('weather')?.value.version).toBe(runs(field) ? 2 : 1);
    await registry.close();
  });

  it('answers to what its service asked last; how patiently is not taken back with it', async () => {
    const registry = await fresh();
    const apply = async (command: string, probe: object): Promise<unknown> =>
      registry.apply([{ kind: 'Service', name: 'weather', spec: { launch: { command: [command] }, probe } }], by);
    await apply('a', { type: 'http', options: { path: '/a' }, interval: '20s' });
    await apply('a', { type: 'http', options: { path: '/ready' }, interval: '20s' });
    await apply('b', { type: 'tcp', interval: '20s' });
    await apply('b', { type: 'tcp', interval: '5s' });
    const probes = registry
      .view()
      .versions.get('weather')
      ?.map(({ probe }) => [probe.type, probe.options, probe.interval]);
    expect(probes).toEqual([
      ['http', { path: '/ready' }, '20s'],
      ['tcp', {}, '5s'],
    ]);
    await registry.undo('weather', 1, by);
    expect(registry.view().services.get('weather')?.value).toMatchObject({
      version: 1,
      spec: { probe: { type: 'http', options: { path: '/ready' }, interval: '5s' } },
    });
    await registry.close();
  });
});
