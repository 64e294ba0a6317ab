import { expect, it } from 'vitest';
import { endedAway } from './ended-away.ts';

const listed = new Map([
  ['a', 10],
  ['b', 6],
]);
const doubts = {
  untold: new Map([
    ['a', 8],
    ['b', 6],
  ]),
  listedAt: (upstream: string) => listed.get(upstream) ?? 0,
};
const told = (open: ReadonlyMap<string, number> | undefined, excess: number): unknown => {
  const { total, at } = endedAway({ ...doubts, open, excess });
  return [total, Object.fromEntries(at)];
};

it.each([
  [
    'nothing ended',
    new Map([
      ['a', 10],
      ['b', 6],
    ]),
    0,
    [0, {}],
  ],
  [
    'each has lost some',
    new Map([
      ['a', 7],
      ['b', 4],
    ]),
    5,
    [5, { a: 3, b: 2 }],
  ],
  ['an address counts anew: what ended is shared out', new Map([['a', 7]]), 3, [3, { a: 1, b: 2 }]],
  ['nobody reports: only the sum is known', undefined, 3, [3, {}]],
  ['no more can have ended than are in doubt', new Map<string, number>(), 99, [14, { a: 8, b: 6 }]],
  [
    'more are open than are listed',
    new Map([
      ['a', 12],
      ['b', 6],
    ]),
    -2,
    [0, {}],
  ],
] as const)('%s', (_, open, excess, found) => {
  expect(told(open, excess)).toEqual(found);
});
