import { expect, it } from 'vitest';
import { freePlaces, type Place } from './places.ts';

const place = (open: number, more: Partial<Place> = {}): Place => ({ open, takes: true, served: true, ...more });
const closed = { takes: false };

it.each<[string, Place[], number]>([
  ['nobody is there', [], 0],
  ['one is empty', [place(0)], 3],
  ['all that come may land at the fullest', [place(0), place(2)], 1],
  ['a full one that is closed does not count', [place(0), place(3, closed)], 3],
  ['of a full one Envoy has yet to hear', [place(0), place(3)], 0],
  ['all are full', [place(3, closed), place(4, closed)], 0],
  ['the only one with room is still closed', [place(2, closed), place(3, closed)], 0],
  ['one that is about to be opened limits the others', [place(0), place(2, closed)], 1],
  ['one that Envoy takes and we do not trust yet', [place(1, { served: false })], 0],
])('%s', (_what, places, free) => {
  expect(freePlaces(places, 3)).toBe(free);
});

it('never lets one instance have more than it may, wherever Envoy sends whom', () => {
  // A small generator, so that a failure comes again.
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  for (let round = 0; round < 300; round += 1) {
    const most = 1 + random(4);
    const real = Array.from({ length: 1 + random(4) }, () => ({ open: 0, closed: false }));
    let onTheWay = 0;
    for (let step = 0; step < 60; step += 1) {
      const one = real[random(real.length)];
      if (one === undefined) throw new Error('no instance');
      const what = random(4);
      if (what === 0 && onTheWay > 0) {
        // Envoy's worst choice is any that it has not been told to close.
        if (!one.closed) {
          one.open += 1;
          onTheWay -= 1;
        }
      } else if (what === 1 && one.open > 0) one.open -= 1;
      else if (what === 2) one.closed = one.open >= most;
      else {
        const free = freePlaces(
          real.map(({ open, closed: shut }) => place(open, { takes: !shut })),
          most,
        );
        if (free - onTheWay >= 1) onTheWay += 1;
      }
      expect(Math.max(...real.map(({ open }) => open))).toBeLessThanOrEqual(most);
    }
  }
});
