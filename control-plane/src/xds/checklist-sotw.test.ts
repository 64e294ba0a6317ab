/** The checklist, rows 11 to 24: state of the world. */
import { describe, expect, it } from 'vitest';
import { sotw } from './sotw.ts';
import { ackAll, ask, make, names, nonceOf, snapshot, typesOf } from './testing.ts';
import { CLUSTER, ENDPOINT, EXTENSION, LISTENER, ROUTE, RUNTIME, SECRET, inOrder } from './types.ts';

describe('state of the world', () => {
  it('11: a stale nonce is ignored, a fresh one served', () => {
    const stream = make(sotw, snapshot(1, { eds: { a: '1', b: '1' } }));
    stream.request(ask(ENDPOINT, ['a']));
    const stale = stream.request(ask(ENDPOINT, ['a', 'b'], { nonce: 'old' }));
    expect(stale).toEqual({ sends: [], notices: [{ kind: 'stale', type: ENDPOINT }] });
    expect(names(stream.request(ask(ENDPOINT, ['a', 'b'], { nonce: 'n1' })))).toEqual(['b@1']);
  });

  const rows: [string, { first?: boolean; nonce: string; names: string[]; acked?: boolean }, string[]][] = [
    ['initial request', { first: true, nonce: '', names: ['a', 'b'] }, ['a@1,b@1']],
    ['reconnect with the nonce of another stream', { first: true, nonce: 'foreign', names: ['a'] }, ['a@1']],
    ['ACK', { nonce: 'n1', names: ['a', 'b'] }, []],
    ['forced: a name was added with the ACK', { nonce: 'n1', names: ['a', 'b', 'c'] }, ['c@1']],
    ['stale nonce', { nonce: 'n0', names: ['a', 'b', 'c'] }, []],
    ['the same names in another order', { nonce: 'n1', names: ['b', 'a'], acked: true }, []],
    ['a name removed', { nonce: 'n1', names: ['a'], acked: true }, []],
    ['endpoints unsubscribed', { nonce: 'n1', names: [], acked: true }, []],
  ];
  it.each(rows)('12: %s', (_, { first = false, nonce, names: wanted, acked = false }, expected) => {
    const stream = make(sotw, snapshot(1, { eds: { a: '1', b: '1', c: '1' } }));
    if (!first) stream.request(ask(ENDPOINT, ['a', 'b']));
    if (acked) stream.request(ask(ENDPOINT, ['a', 'b'], { nonce: 'n1' }));
    expect(names(stream.request(ask(ENDPOINT, wanted, { nonce })))).toEqual(expected);
  });

  it('12: an empty nonce on a stream that was served starts anew', () => {
    const stream = make(sotw, snapshot(1, { eds: { a: '1' } }));
    ackAll(stream, stream.request(ask(ENDPOINT, ['a'])), { [ENDPOINT]: ['a'] });
    expect(names(stream.request(ask(ENDPOINT, ['a'])))).toEqual(['a@1']);
  });

  it.each([CLUSTER, ENDPOINT, LISTENER, ROUTE])(
    '13: after a NACK of %s nothing is sent until the content changes; the error shows; others go on',
    (type) => {
      const all = (version: string, other = '1'): Parameters<typeof snapshot>[1] => ({
        cds: { a: version, ...(type === CLUSTER ? {} : {}) },
        eds: { a: version },
        lds: { a: version },
        rds: { a: version },
        sds: { other },
      });
      const stream = make(sotw, snapshot(1, all('1')));
      const first = stream.request(ask(type, ['a']));
      const nack = stream.request(ask(type, ['a'], { nonce: nonceOf(first), error: 'bad field' }));
      expect(nack.sends).toEqual([]);
      expect(nack.notices).toMatchObject([{ kind: 'nack', message: 'bad field', names: ['a'] }]);
      expect(Object.values(stream.types())).toMatchObject([{ state: 'ERROR', nack: { message: 'bad field' } }]);
      expect(stream.resources(type)).toMatchObject([{ name: 'a', state: 'ERROR', sent: '1', acked: '' }]);
      expect(stream.snapshot(snapshot(2, all('1'))).sends).toEqual([]);
      expect(names(stream.request(ask(SECRET, ['other'])))).toEqual(['other@1']);
      const fixed = stream.snapshot(snapshot(3, all('2')));
      expect(names(fixed)).toContain('a@2');
      ackAll(stream, fixed, { [type]: ['a'], [SECRET]: ['other'] });
      expect(stream.resources(type)).toMatchObject([{ name: 'a', state: 'SYNCED', acked: '2' }]);
    },
  );

  it('14: every nonce is another, and the version follows the content', () => {
    const stream = make(sotw, snapshot(1, { eds: { a: '1' } }));
    const first = stream.request(ask(ENDPOINT, ['a']));
    stream.request(ask(ENDPOINT, ['a'], { nonce: nonceOf(first) }));
    const second = stream.snapshot(snapshot(2, { eds: { a: '2' } }));
    expect(nonceOf(second)).not.toBe(nonceOf(first));
    expect(second.sends[0]?.version).not.toBe(first.sends[0]?.version);
  });

  it('15: A, B, both, A again are each answered right', () => {
    const stream = make(sotw, snapshot(1, { rds: { a: '1', b: '1' } }));
    let nonce = '';
    const step = (...wanted: string[]): string[] => {
      const output = stream.request(ask(ROUTE, wanted, { nonce }));
      nonce = output.sends[0]?.nonce ?? nonce;
      return names(output);
    };
    expect([step('a'), step('b'), step('a', 'b'), step('a')]).toEqual([['a@1'], ['b@1'], ['a@1'], []]);
  });

  it('16: no names with a valid nonce is silence; asking again is answered though nothing changed', () => {
    const stream = make(sotw, snapshot(1, { rds: { a: '1' } }));
    const first = stream.request(ask(ROUTE, ['a']));
    expect(stream.request(ask(ROUTE, [], { nonce: nonceOf(first) })).sends).toEqual([]);
    expect(names(stream.request(ask(ROUTE, ['a'], { nonce: nonceOf(first) })))).toEqual(['a@1']);
  });

  it('17: a resource asked for anew is sent at an unchanged version, and not twice', () => {
    const stream = make(sotw, snapshot(1, { eds: { a: '1', b: '1' } }));
    const first = stream.request(ask(ENDPOINT, ['a']));
    const second = stream.request(ask(ENDPOINT, ['a', 'b'], { nonce: nonceOf(first) }));
    expect(names(second)).toEqual(['b@1']);
    expect(names(stream.request(ask(ENDPOINT, ['a', 'b'], { nonce: nonceOf(second) })))).toEqual([]);
  });

  it('18: the legacy wildcard ends with the first name, and then empty means nothing', () => {
    const stream = make(sotw, snapshot(1, { cds: { a: '1', b: '1' } }));
    const all = stream.request(ask(CLUSTER));
    expect(names(all)).toEqual(['a@1,b@1']);
    stream.request(ask(CLUSTER, ['a'], { nonce: nonceOf(all) }));
    stream.request(ask(CLUSTER, [], { nonce: nonceOf(all) }));
    expect(stream.snapshot(snapshot(2, { cds: { a: '2', b: '2' } })).sends).toEqual([]);
  });

  it('18: "*" with and without names, taken back and given again', () => {
    const stream = make(sotw, snapshot(1, { cds: { a: '1', b: '1' } }));
    const first = stream.request(ask(CLUSTER, ['*', 'a']));
    expect(names(first)).toEqual(['a@1,b@1']);
    expect(stream.request(ask(CLUSTER, ['a'], { nonce: nonceOf(first) })).sends).toEqual([]);
    const named = stream.snapshot(snapshot(2, { cds: { a: '2', b: '2' } }));
    expect(names(named)).toEqual(['a@2']);
    const again = stream.request(ask(CLUSTER, ['*'], { nonce: nonceOf(named) }));
    expect(names(again)).toEqual(['a@2,b@2']);
  });

  it.each([ENDPOINT, ROUTE, SECRET, RUNTIME, EXTENSION])('18: there is no legacy wildcard of %s', (type) => {
    const stream = make(sotw, snapshot(1, { eds: { a: '1' }, rds: { a: '1' }, sds: { a: '1' }, ecds: { a: '1' } }));
    expect(stream.request(ask(type)).sends).toEqual([]);
  });

  it('19: what is deleted of clusters is told by the full list, also an empty one; of endpoints by silence', () => {
    const stream = make(sotw, snapshot(1, { cds: { a: '1' }, eds: { a: '1' } }));
    ackAll(stream, stream.request(ask(CLUSTER)));
    ackAll(stream, stream.request(ask(ENDPOINT, ['a'])), { [ENDPOINT]: ['a'] });
    const gone = stream.snapshot(snapshot(2, {}));
    expect(gone.sends.map((send) => [send.type, send.resources.length])).toEqual([[CLUSTER, 0]]);
  });

  it('20: clusters asked for by name are all sent when one changes, and a missing one is told by its absence', () => {
    const stream = make(sotw, snapshot(1, { cds: { a: '1', b: '1', c: '1' } }));
    const first = stream.request(ask(CLUSTER, ['a', 'b', 'ghost']));
    expect(names(first)).toEqual(['a@1,b@1']);
    ackAll(stream, first, { [CLUSTER]: ['a', 'b', 'ghost'] });
    expect(names(stream.snapshot(snapshot(2, { cds: { a: '2', b: '1', c: '2' } })))).toEqual(['a@2,b@1']);
    expect(names(make(sotw, snapshot(1, {})).request(ask(CLUSTER, ['ghost'])))).toEqual(['']);
  });

  it('21: what waits to be written is dropped when it is unsubscribed meanwhile', () => {
    const stream = make(sotw, snapshot(1, { rds: { a: '1', b: '1' } }));
    const first = stream.request(ask(ROUTE, ['a']));
    stream.request(ask(ROUTE, ['a'], { nonce: nonceOf(first) }));
    stream.writable(false);
    stream.snapshot(snapshot(2, { rds: { a: '2', b: '1' } }));
    stream.request(ask(ROUTE, ['b'], { nonce: nonceOf(first) }));
    expect(names(stream.writable(true))).toEqual(['b@1']);
  });

  it('22: endpoints first, with a nonce of an earlier stream, are answered, and again for the clusters that follow', () => {
    const stream = make(sotw, snapshot(1, { cds: { a: '1' }, eds: { a: '1' } }));
    const endpoints = stream.request(ask(ENDPOINT, ['a'], { nonce: 'of-before', version: 'v' }));
    expect(names(endpoints)).toEqual(['a@1']);
    stream.request(ask(ENDPOINT, ['a'], { nonce: nonceOf(endpoints) }));
    // Envoy may have another form of the cluster: it would wait for endpoints anew.
    expect(typesOf(stream.request(ask(CLUSTER)))).toEqual([CLUSTER, ENDPOINT]);
  });

  it('23: without a snapshot the request is held, and answered later', () => {
    const stream = make(sotw);
    expect(stream.request(ask(CLUSTER)).sends).toEqual([]);
    expect(stream.request(ask(ENDPOINT, ['a'])).sends).toEqual([]);
    expect(names(stream.snapshot(snapshot(1, { cds: { a: '1' }, eds: { a: '1' } })))).toEqual(['a@1', 'a@1']);
  });

  it('24: types are sent in their order, those that are not known last', () => {
    const types = ['z', EXTENSION, ROUTE, RUNTIME, 'y', SECRET, LISTENER, ENDPOINT, CLUSTER];
    expect(inOrder(types)).toEqual([CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET, RUNTIME, EXTENSION, 'y', 'z']);
  });
});
