import { describe, expect, it } from 'vitest';
import { seeded } from '../../../test/support/random.ts';
import { hasWords, hintIn, isKnownHint, isListOf, scopesOf, wordsOf } from './entry.ts';
import type { FleetService } from './fleet.ts';
import { ServiceGateway } from './service.ts';

type Tags = Record<string, string>;

const service = (name: string, tags: Tags, ...instances: Tags[]): FleetService => ({
  name,
  gateway: ServiceGateway.parse({}),
  ...(Object.keys(tags).length === 0 ? {} : { tags }),
  instances: instances.map((own, n) => ({
    id: `${name}-${n}`,
    host: '127.0.0.1',
    port: 1,
    weight: 1,
    version: 1,
    tags: { ...tags, ...own },
    zone: '',
    health: 'healthy',
  })),
});

describe('the old way in', () => {
  it('reads tags as words: values, or keys that are merely set', () => {
    expect(wordsOf({ tier: 'gold', gpu: 'true', beta: '', spot: 'false' })).toEqual([
      'gold',
      'tier=gold',
      'gpu',
      'gpu=true',
      'beta',
      'beta=true',
      'spot=false',
    ]);
  });

  it.each([
    ['a', true],
    ['b,a', true],
    ['a, b', true],
    ['a%2Cb', true],
    ['a,', true],
    ['a,%E5%A4%A9+%E6%B0%94', true],
    ['a,c', false],
    ['ab', false],
    ['A', false],
    [',a', false],
    ['a b', false],
    ['', false],
  ])('of the tags a, b and one with a space, %s asks for nothing else: %s', (asked, is) => {
    expect(isListOf(['a', 'b', '天 气'], asked)).toBe(is);
  });

  it('knows the strategies of the old manager, and ours by their names', () => {
    for (const hint of ['round_robin', 'least_connections', 'weighted_random', 'hash_based', 'performance_based'])
      expect([
        isKnownHint(hint),
        hintIn(hint, ['round-robin', 'least-connections', 'weighted', 'hash', 'performance']),
      ]).toEqual([true, hint.replace(/_(based|random)$/, '').replace('_', '-')]);
    for (const hint of ['tag_based', 'multi_level', 'RANDOM', 'round-robin']) expect(isKnownHint(hint)).toBe(true);
    for (const hint of ['', 'robin', 'round_robin_', 'least']) expect(isKnownHint(hint)).toBe(false);
    expect(hintIn('random', ['hash'])).toBeUndefined();
  });

  it('gives each set of tags to all instances that have it, and never to another', () => {
    const services = [
      service('weather', { kind: 'weather', prod: '' }, {}, {}),
      service('finance', { kind: 'finance', prod: '' }, {}),
      service('mixed', {}, { kind: 'weather' }, { kind: 'maps', prod: '' }),
      service('gone', { kind: 'gone' }),
      service('plain', {}, {}),
    ];
    const scopes = scopesOf(services);
    const askedFor = (asked: string): string[] | string => {
      const found = scopes.find(({ words }) => isListOf(words, asked));
      if (found === undefined) return 'nobody';
      const held = services.flatMap(({ instances }) => instances).filter(({ tags }) => hasWords(tags, found.words));
      return found.whole ?? held.map(({ id }) => id);
    };
    expect(askedFor('weather')).toEqual(['weather-0', 'weather-1', 'mixed-0']);
    expect(askedFor('prod')).toEqual(['weather-0', 'weather-1', 'finance-0', 'mixed-1']);
    expect(askedFor('prod,weather')).toBe('weather');
    expect(askedFor('finance')).toBe('finance');
    expect(askedFor('kind=maps')).toEqual(['mixed-1']);
    expect(askedFor('gone')).toBe('gone');
    for (const nobody of ['gone,prod', 'maps,weather', 'plain', 'kind']) expect(askedFor(nobody)).toBe('nobody');
  });

  it('finds for any list of tags just the instances that have them, over random fleets', () => {
    const { below } = seeded(7);
    for (let round = 0; round < 200; round += 1) {
      const some = (): Tags =>
        Object.fromEntries(['a', 'b', 'c', 'd'].filter(() => below(3) === 0).map((key) => [key, '']));
      const services = Array.from({ length: 1 + below(4) }, (_, n) =>
        service(`s${n}`, some(), ...Array.from({ length: below(3) }, some)),
      );
      const all = services.flatMap(({ instances }) => instances);
      const scopes = scopesOf(services);
      for (const asked of [['a'], ['b', 'a'], ['c', 'd'], ['a', 'c', 'd'], ['d', 'b', 'c', 'a']]) {
        const scope = scopes.find(({ words }) => isListOf(words, asked.join()));
        const whole = services.find(({ name }) => name === scope?.whole);
        const served = whole?.instances ?? all.filter(({ tags }) => scope !== undefined && hasWords(tags, scope.words));
        expect(served.map(({ id }) => id)).toEqual(all.filter(({ tags }) => hasWords(tags, asked)).map(({ id }) => id));
      }
    }
  });

  it('stays small: a route for each tag and each kind of instance, and a bound on the rest', () => {
    const services = Array.from({ length: 300 }, (_, n) =>
      service(`s${n}`, { name: `n${n}`, region: `r${n % 5}`, tier: `t${n % 7}`, prod: '' }, {}),
    );
    expect(scopesOf(services).length).toBeLessThan(400);
  });
});
