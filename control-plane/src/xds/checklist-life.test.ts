/** The checklist of what an xDS server must get right, rows 1 to 10: the life of a stream. Without gRPC; server.test.ts has the wire. */
import { describe, expect, it } from 'vitest';
import { setOf } from './snapshot.ts';
import { make, call, message, names, snapshot, typeSet, ask, nonceOf, typesOf } from './testing.ts';
import { CLUSTER, ENDPOINT, HEALTH_PROBE } from './types.ts';
import { delta } from './delta.ts';
import { sotw } from './sotw.ts';

const OPAQUE = 'type.googleapis.com/some.Type';

describe.each(['sotw', 'delta'] as const)('the life of a stream: %s', (variant) => {
  it('1: an aggregated request without type_url is an invalid argument', () => {
    const fake = call({ variant });
    fake.connection.message(message(''));
    expect(fake.ended).toMatchObject([
      { code: 'INVALID_ARGUMENT', details: expect.stringContaining('type_url') as unknown },
    ]);
  });

  it('1: a service of one type takes an empty type_url for its own, and refuses another', () => {
    const fake = call({ variant, only: CLUSTER, first: snapshot(1, { cds: { a: '1' } }) });
    fake.connection.message(message(''));
    expect(fake.written.map((one) => one.type_url)).toEqual([CLUSTER]);
    fake.connection.message(message(ENDPOINT));
    expect(fake.ended).toMatchObject([{ code: 'INVALID_ARGUMENT' }]);
  });

  it.each([null, ''])('2: a first request with node %j is an invalid argument, and leaves nothing behind', (id) => {
    const fake = call({ variant });
    fake.connection.message(message(CLUSTER, {}, id));
    expect(fake.ended).toMatchObject([
      { code: 'INVALID_ARGUMENT', details: expect.stringContaining('node') as unknown },
    ]);
    expect([fake.opened, fake.connection.stream(), fake.clock.pending()]).toEqual([[], undefined, 0]);
  });

  it('2: the node of the first request is remembered; another one later is refused', () => {
    const fake = call({ variant, first: snapshot(1, { cds: { a: '1' }, eds: { a: '1' } }) });
    fake.connection.message(message(CLUSTER));
    fake.connection.message(message(ENDPOINT, { resource_names: ['a'], resource_names_subscribe: ['a'] }, null));
    expect([fake.written.length, fake.connection.node()?.id, fake.opened.length]).toEqual([2, 'node', 1]);
    fake.connection.message(message(ENDPOINT, {}, 'other'));
    expect(fake.ended).toMatchObject([{ code: 'INVALID_ARGUMENT' }]);
  });

  it('3: an error on opening ends the stream, and it is closed all the same, once', () => {
    const fake = call({
      variant,
      open: () => {
        throw new Error('no');
      },
    });
    fake.connection.message(message(CLUSTER));
    fake.connection.message(message(CLUSTER));
    fake.connection.close();
    expect(fake.ended).toEqual([{ code: 'UNAVAILABLE', details: 'no' }]);
    expect(fake.closed).toBe(1);
  });

  it('4: requests that come after a failure are dropped, not served', () => {
    const fake = call({ variant, open: () => ({ code: 'PERMISSION_DENIED', details: 'not you' }) });
    fake.connection.message(message(CLUSTER));
    fake.connection.message(message(CLUSTER));
    expect([fake.opened.length, fake.ended]).toEqual([1, [{ code: 'PERMISSION_DENIED', details: 'not you' }]]);
  });

  it('5: an error on sending ends the stream and frees its timers', () => {
    const fake = call({
      variant,
      first: snapshot(1, { cds: { a: '1' } }),
      limits: { ageMs: 5_000 },
      write: () => {
        throw new Error('reset');
      },
    });
    fake.connection.message(message(CLUSTER));
    expect([fake.closed, fake.clock.pending()]).toEqual([1, 0]);
  });

  it('6: after its end nothing of a stream is left, and nothing is written', () => {
    const fake = call({ variant, first: snapshot(1, { cds: { a: '1' } }), limits: { ageMs: 5_000 } });
    fake.connection.message(message(CLUSTER));
    fake.connection.close();
    const written = fake.written.length;
    fake.connection.handle({
      sends: fake.connection.stream()?.snapshot(snapshot(2, { cds: { a: '2' } })).sends ?? [],
      notices: [],
    });
    fake.connection.drained();
    fake.connection.message(message(CLUSTER));
    fake.clock.advance(60_000);
    expect([fake.written.length, fake.closed, fake.clock.pending()]).toEqual([written, 1, 0]);
  });

  it('7: a failing source of snapshots makes the server unavailable, not broken', () => {
    const fake = call({
      variant,
      open: () => {
        throw new Error('the store does not answer');
      },
    });
    fake.connection.message(message(CLUSTER));
    expect(fake.ended).toEqual([{ code: 'UNAVAILABLE', details: 'the store does not answer' }]);
  });

  it('8: a type that is not known passes through; the newest names count', () => {
    const first = snapshot(1, {}, { [OPAQUE]: typeSet({ a: '1', b: '1' }) });
    const fake = call({ variant, first });
    const named = (...list: string[]): object => ({ resource_names: list, resource_names_subscribe: list });
    fake.connection.message(message(OPAQUE, named('a')));
    const nonce = fake.written.at(-1)?.nonce;
    fake.connection.message(message(OPAQUE, { ...named('b'), response_nonce: nonce }));
    expect(fake.written.map(({ type_url, resources }) => [type_url, resources.length])).toEqual([
      [OPAQUE, 1],
      [OPAQUE, 1],
    ]);
    const ghost = make(variant === 'sotw' ? sotw : delta, snapshot(1, {})).request(ask('not even a url', ['x']));
    expect(ghost.sends.every(({ resources }) => resources.length === 0)).toBe(true);
  });

  it('9: two streams of one node live beside each other, and the end of one leaves the other', () => {
    const first = snapshot(1, { cds: { a: '1' } });
    const [old, next] = [call({ variant, first }), call({ variant, first })];
    old.connection.message(message(CLUSTER));
    next.connection.message(message(CLUSTER));
    old.connection.close();
    next.connection.message(message(CLUSTER, { response_nonce: next.written[0]?.nonce }));
    const stream = next.connection.stream();
    next.connection.handle(stream?.snapshot(snapshot(2, { cds: { a: '2' } })) ?? { sends: [], notices: [] });
    expect([old.written.length, next.written.length]).toEqual([1, 2]);
  });

  it('10: a sign of life before the node is known is passed over', () => {
    const fake = call({ variant, first: snapshot(1, { cds: { a: '1' } }) });
    fake.connection.message(message(HEALTH_PROBE, {}, null));
    expect([fake.ended, fake.written]).toEqual([[], []]);
    fake.connection.message(message(CLUSTER));
    expect(fake.written.length).toBe(1);
  });

  it('a call that says nothing is ended; one that grows old too, when nothing is on its way', () => {
    const silent = call({ variant });
    silent.clock.advance(1_001);
    expect(silent.ended).toMatchObject([{ code: 'DEADLINE_EXCEEDED' }]);
    const old = call({ variant, first: snapshot(1, { cds: { a: '1' } }), limits: { ageMs: 1_000 } });
    old.connection.message(message(CLUSTER));
    old.clock.advance(1_050);
    expect(old.ended).toEqual([]);
    old.connection.message(message(CLUSTER, { response_nonce: old.written[0]?.nonce }));
    expect(old.ended).toEqual([undefined]);
    const stuck = call({ variant, first: snapshot(1, { cds: { a: '1' } }), limits: { ageMs: 1_000 } });
    stuck.connection.message(message(CLUSTER));
    stuck.clock.advance(1_101);
    expect(stuck.ended).toEqual([undefined]);
  });

  it('a flood of requests ends the stream; what is over the years is not a flood', () => {
    const fake = call({ variant, first: snapshot(1, { cds: { a: '1' } }) });
    for (let n = 0; n < 2_000; n += 1) {
      fake.connection.message(message(CLUSTER, { response_nonce: 'old' }));
      fake.clock.advance(10);
    }
    expect(fake.ended).toEqual([]);
    for (let n = 0; n < 300; n += 1) fake.connection.message(message(CLUSTER, { response_nonce: 'old' }));
    expect(fake.ended).toMatchObject([{ code: 'RESOURCE_EXHAUSTED' }]);
  });
});

it('the parts of a snapshot that nobody asked for cost nothing', () => {
  const stream = make(delta, snapshot(1, { cds: { a: '1' } }));
  const output = stream.request(ask(CLUSTER));
  expect([names(output), typesOf(output), nonceOf(output)]).toEqual([['a@1'], [CLUSTER], 'n1']);
  expect(setOf(undefined, CLUSTER).resources.size).toBe(0);
});
