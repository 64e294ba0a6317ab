import { expect, it } from 'vitest';
import { similar } from './similar.ts';

it('finds the name that may have been meant, and none where all are far', () => {
  const known = ['weather', 'finance', 'weather-next', 'a'];
  for (const [name, wanted] of [
    ['wether', 'weather'],
    ['waether', 'weather'],
    ['Weather', 'weather'],
    ['weather_next', 'weather-next'],
    ['finnance', 'finance'],
    ['b', undefined],
    ['', undefined],
    ['ship', undefined],
    ['w'.repeat(100_000), undefined],
  ] as const)
    expect(similar(name, known), name).toBe(wanted);
});
