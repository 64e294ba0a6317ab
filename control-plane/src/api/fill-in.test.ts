import { expect, it } from 'vitest';
import { fillIn } from './fill-in.ts';
import { GATEWAY } from './older.ts';

it('puts in what is missing, in every element of a list, and leaves what is there', () => {
  const pattern = { a: 1, inner: { list: [{ x: null }], left: null }, rows: [{ n: 0, of: {} }] };
  expect(fillIn(pattern, { a: 2, rows: [{ n: 7 }, {}], more: true })).toEqual({
    a: 2,
    inner: { list: [], left: null },
    rows: [
      { n: 7, of: {} },
      { n: 0, of: {} },
    ],
    more: true,
  });
  expect(fillIn(pattern, { inner: { list: [{}], left: { y: 1 } } })).toMatchObject({
    inner: { list: [{ x: null }], left: { y: 1 } },
  });
  expect(fillIn(pattern, null)).toBeNull();
});

it('has a list of its own for each answer', () => {
  const [one, two] = [fillIn(GATEWAY, {}), fillIn(GATEWAY, {})] as Record<string, unknown[]>[];
  expect(one).toEqual({ ...GATEWAY, refusals: [] });
  one?.['behind']?.push('x');
  expect(two?.['behind']).toEqual([]);
  expect(GATEWAY.behind).toEqual([]);
});
