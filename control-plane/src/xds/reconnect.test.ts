/** State of the world, after a reconnect: what has gone while Envoy was away goes in the order in which it would have gone under its eyes. */
import { expect, it } from 'vitest';
import { createGroup } from './group.ts';
import type { XdsResource } from './snapshot.ts';
import { sotw } from './sotw.ts';
import type { Stream, StreamOptions } from './stream.ts';
import { ask, make, names, nonceOf, snapshot, time, typesOf } from './testing.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE } from './types.ts';

const NOW = snapshot(2, { cds: { b: '1' }, eds: { b: '1' }, lds: { l: '1' }, rds: { r: '2' } });
const gone: XdsResource = { name: 'a', version: '1', body: new Uint8Array() };
const back = { version: 'before' };

function stream(options: Partial<StreamOptions> = {}): Stream {
  return make(sotw, NOW, { isAggregated: true, lately: (name) => (name === 'a' ? gone : undefined), ...options });
}

it('a cluster that went meanwhile stays until the new routes are acknowledged', () => {
  const one = stream();
  expect(one.request(ask(CLUSTER, [], back)).sends).toEqual([]);
  const first = one.request(ask(ENDPOINT, ['a', 'b'], back));
  expect([typesOf(first), names(first)]).toEqual([
    [CLUSTER, ENDPOINT],
    ['b@1,a@1', 'b@1'],
  ]);
  expect(one.request(ask(LISTENER, [], back)).sends).toEqual([]);
  expect(one.request(ask(ROUTE, ['r'], back)).sends).toEqual([]);
  const [clusters, endpoints] = first.sends;
  expect(one.request(ask(CLUSTER, [], { nonce: clusters?.nonce ?? '' })).sends).toEqual([]);
  const then = one.request(ask(ENDPOINT, ['a', 'b'], { nonce: endpoints?.nonce ?? '' }));
  expect(names(then)).toEqual(['l@1', 'r@2']);
  const [listeners, routes] = then.sends;
  expect(one.request(ask(LISTENER, [], { nonce: listeners?.nonce ?? '' })).sends).toEqual([]);
  const last = one.request(ask(ROUTE, ['r'], { nonce: routes?.nonce ?? '' }));
  expect([typesOf(last), names(last)]).toEqual([[CLUSTER], ['b@1 -a']]);
  one.request(ask(CLUSTER, [], { nonce: nonceOf(last) }));
  expect([one.settledRevision(), one.isIdle()]).toEqual([2, true]);
});

it('nothing has gone, or nobody knows what it was: it is answered with what there is', () => {
  const known = stream();
  known.request(ask(CLUSTER, [], back));
  expect(names(known.request(ask(ENDPOINT, ['b'], back)))).toEqual(['b@1', 'b@1']);
  const unknown = stream({ lately: () => undefined });
  unknown.request(ask(CLUSTER, [], back));
  expect(names(unknown.request(ask(ENDPOINT, ['a', 'b'], back)))).toEqual(['b@1', 'b@1']);
});

it('who has no endpoints to ask for, starts anew, or asks for clusters alone, does not wait', () => {
  const without = stream();
  without.request(ask(CLUSTER, [], back));
  expect(names(without.request(ask(LISTENER, [], back)))).toEqual(['b@1']);
  expect(names(stream().request(ask(CLUSTER)))).toEqual(['b@1']);
  expect(names(stream({ isAggregated: false }).request(ask(CLUSTER, [], back)))).toEqual(['b@1']);
  expect(names(stream().request(ask(CLUSTER, ['b'], back)))).toEqual(['b@1']);
});

it('the wait has a limit', () => {
  const clock = time();
  const one = stream({ clock: clock.now, waitLimitMs: 1_000 });
  one.request(ask(CLUSTER, [], back));
  expect(one.behind()).toEqual(['cds waits until eds is asked for']);
  clock.advance(one.deadline() ?? 0);
  const late = one.tick();
  expect([names(late), late.notices.map(({ kind }) => kind)]).toEqual([['b@1'], ['late']]);
});

it('a group remembers the clusters that went, until they come back', () => {
  const clock = time();
  const pace = { quietMs: 20, longestMs: 500, batchMs: 5, clock: clock.now, timer: clock.timer };
  const group = createGroup(pace, () => undefined);
  group.publish(snapshot(1, { cds: { a: '1', b: '1' } }));
  expect(group.lately('a')).toBeUndefined();
  group.publish(snapshot(2, { cds: { b: '1' } }));
  expect(group.lately('a')?.version).toBe('1');
  group.publish(snapshot(3, { cds: { a: '2', b: '1' } }));
  expect(group.lately('a')).toBeUndefined();
  for (let n = 0; n < 1_100; n += 1) {
    group.publish(snapshot(4 + 2 * n, { cds: { [`c-${n}`]: '1' } }));
    group.publish(snapshot(5 + 2 * n, { cds: {} }));
  }
  expect([group.lately('c-50'), group.lately('c-1099')?.name]).toEqual([undefined, 'c-1099']);
  group.close();
});
