import { expect, it } from 'vitest';
import type { Instance } from '../model/instance.ts';
import type { Held, RegistryView } from '../registry/registry.ts';
import { allAt, instanceAt } from './sessions.ts';

function view(...instances: readonly Partial<Instance>[]): RegistryView {
  const held = instances.map((value): [string, Held<Instance>] => [
    value.id ?? '',
    { value: value as Instance, revision: 1 },
  ]);
  return { instances: new Map(held) } as unknown as RegistryView;
}

const address = { host: '127.0.0.1', port: 20_000 };
const ended = (id: string, at: string): Partial<Instance> => ({
  id,
  state: 'backoff',
  lastExit: { at, address, code: 1, signal: null, log: [] },
});
const earlier = ended('earlier', '2026-11-25T10:00:00.000Z');
const later = ended('later', '2026-11-25T10:00:01.000Z');
const drain = { since: '', deadline: '', reason: '' } as unknown as Instance['drain'];

it.each([
  ['nobody', view(), undefined],
  ['who is there', view({ id: 'here', address }, later), 'here'],
  ['who is not leaving', view({ id: 'leaving', address, drain }, { id: 'here', address }), 'here'],
  ['who ended there last', view(later, earlier), 'later'],
] as const)('an address belongs to %s', (_, present, id) => {
  expect(instanceAt(present, '', '127.0.0.1:20000')?.id).toBe(id);
});

it('an address that two services share belongs to each for those who came through its cluster', () => {
  const present = view({ id: 'one', service: 'a', address }, { id: 'two', service: 'b', address });
  const at = (cluster: string): string | undefined => instanceAt(present, cluster, '127.0.0.1:20000')?.id;
  expect(['a', 'b', 'b:~random', 'c', ':gpu=true'].map(at)).toEqual(['one', 'two', 'two', undefined, 'one']);
  expect(allAt(present, '127.0.0.1:20000').map(({ id }) => id)).toEqual(['one', 'two']);
});
