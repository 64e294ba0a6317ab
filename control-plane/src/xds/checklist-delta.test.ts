/** The checklist, rows 25 to 34: delta. Row 33, glob subscriptions, is optional and not served. */
import { describe, expect, it } from 'vitest';
import { delta } from './delta.ts';
import { ackAll, ask, make, names, nonceOf, snapshot, typesOf } from './testing.ts';
import { CLUSTER, ENDPOINT, EXTENSION } from './types.ts';

describe('delta', () => {
  const subscriptions: [string, string[], string, string][] = [
    ['wildcard', [], 'a@1,b@1', 'a@2'],
    ['"*"', ['*'], 'a@1,b@1', 'a@2'],
    ['named', ['a'], 'a@1', 'a@2'],
    ['mixed', ['*', 'b'], 'a@1,b@1', 'a@2'],
  ];
  it.each(subscriptions)('25: %s: only what changed is sent', (_, asked, first, changed) => {
    const stream = make(delta, snapshot(1, { cds: { a: '1', b: '1' } }));
    const output = stream.request(ask(CLUSTER, asked));
    expect(names(output).map((one) => one.split(',').sort().join(','))).toEqual([first]);
    ackAll(stream, output);
    expect(ackAll(stream, stream.snapshot(snapshot(2, { cds: { a: '2', b: '1' } })))).toEqual([changed]);
  });

  it('25: several changes are one response', () => {
    const stream = make(delta, snapshot(1, { eds: { a: '1', b: '1', c: '1' } }));
    ackAll(stream, stream.request(ask(ENDPOINT, ['a', 'b', 'c'])));
    expect(names(stream.snapshot(snapshot(2, { eds: { a: '2', b: '1', c: '2' } })))).toEqual(['a@2,c@2']);
  });

  it('26: what went is removed, once', () => {
    const stream = make(delta, snapshot(1, { cds: { a: '1', b: '1' } }));
    ackAll(stream, stream.request(ask(CLUSTER)));
    expect(ackAll(stream, stream.snapshot(snapshot(3, { cds: { a: '1' } })))).toEqual([' -b']);
    expect(stream.resources(CLUSTER).map(({ name }) => name)).toEqual(['a']);
    expect(stream.snapshot(snapshot(4, { cds: { a: '1' } })).sends).toEqual([]);
    expect(stream.settledRevision()).toBe(4);
  });

  it('27: versions from before: equal ones are not sent again, stale ones are, gone ones removed', () => {
    const at = (initialVersions: Record<string, string>): string[] =>
      names(make(delta, snapshot(1, { cds: { a: '1', b: '2' } })).request(ask(CLUSTER, [], { initialVersions })));
    // A first wildcard request is always answered, so that Envoy goes on.
    expect(at({ a: '1', b: '2' })).toEqual(['']);
    expect(at({ a: '1', b: '1', c: '1' })).toEqual(['b@2 -c']);
    const named = make(delta, snapshot(1, { eds: { a: '1', b: '2' } }));
    expect(names(named.request(ask(ENDPOINT, ['a'], { initialVersions: { a: '1' } })))).toEqual([]);
    expect(names(named.snapshot(snapshot(2, { eds: { a: '2' } })))).toEqual(['a@2']);
  });

  it('28: clusters that changed while the stream was away bring their endpoints unasked', () => {
    const stream = make(delta, snapshot(2, { cds: { a: '2', b: '1' }, eds: { a: '1', b: '1' } }));
    const clusters = stream.request(ask(CLUSTER, [], { initialVersions: { a: '1', b: '1' } }));
    expect(names(clusters)).toEqual(['a@2']);
    expect(names(stream.request(ask(ENDPOINT, ['a', 'b'], { initialVersions: { a: '1', b: '1' } })))).toEqual(['a@1']);
  });

  it('29: a name added under the legacy wildcard keeps the wildcard; taking "*" back keeps the names', () => {
    const stream = make(delta, snapshot(1, { cds: { a: '1', b: '1' } }));
    ackAll(stream, stream.request(ask(CLUSTER)));
    ackAll(stream, stream.request(ask(CLUSTER, ['a'])));
    expect(ackAll(stream, stream.snapshot(snapshot(2, { cds: { a: '1', b: '2' } })))).toEqual(['b@2']);
    stream.request(ask(CLUSTER, [], { unsubscribe: ['*'] }));
    expect(ackAll(stream, stream.snapshot(snapshot(3, { cds: { a: '2', b: '3' } })))).toEqual(['a@2']);
  });

  it('29: a name that is unsubscribed under a wildcard is sent again, one that does not exist is told removed', () => {
    const stream = make(delta, snapshot(1, { cds: { a: '1' } }));
    ackAll(stream, stream.request(ask(CLUSTER)));
    ackAll(stream, stream.request(ask(CLUSTER, ['a', 'ghost'])));
    const again = stream.request(ask(CLUSTER, [], { unsubscribe: ['a', 'ghost'] }));
    expect(names(again)).toEqual(['a@1 -ghost']);
  });

  it('30: unsubscribing what was never subscribed is silent and leaves the ACK as it is', () => {
    const stream = make(delta, snapshot(1, { eds: { a: '1' } }));
    ackAll(stream, stream.request(ask(ENDPOINT, ['a'])));
    const before = stream.types();
    expect(stream.request(ask(ENDPOINT, [], { unsubscribe: ['never'] })).sends).toEqual([]);
    expect(stream.types()).toEqual(before);
    expect(stream.request(ask(ENDPOINT, [], { unsubscribe: ['a'] })).sends).toEqual([]);
  });

  it('31: the subscription through additions and removals', () => {
    const stream = make(delta, snapshot(1, { cds: { a: '1', b: '1' } }));
    const steps: [string[], string[], string[]][] = [
      [['a'], [], ['a@1']],
      [[], ['*'], []], // removing a wildcard that there is not
      [['*'], [], ['b@1']],
      [[], ['a'], ['a@1']],
      [[], ['*'], []],
      [['b'], [], ['b@1']],
      [[], ['b'], []],
      [['*'], [], ['a@1,b@1']],
    ];
    for (const [add, unsubscribe, expected] of steps) {
      const output = stream.request(ask(CLUSTER, add, { unsubscribe }));
      expect([add, unsubscribe, names(output)]).toEqual([add, unsubscribe, expected]);
      ackAll(stream, output);
    }
  });

  it('31: a subscription counts also when it comes with a stale nonce or a NACK', () => {
    const stream = make(delta, snapshot(1, { eds: { a: '1', b: '1', c: '1' } }));
    const first = stream.request(ask(ENDPOINT, ['a']));
    const stale = stream.request(ask(ENDPOINT, ['b'], { nonce: 'old' }));
    expect([stale.sends, stale.notices]).toEqual([[], [{ kind: 'stale', type: ENDPOINT }]]);
    expect(names(stream.request(ask(ENDPOINT, ['c'], { nonce: nonceOf(first), error: 'no' })))).toEqual(['b@1,c@1']);
  });

  it('31: asking again for a name that is held is answered again', () => {
    const stream = make(delta, snapshot(1, { eds: { a: '1' } }));
    ackAll(stream, stream.request(ask(ENDPOINT, ['a'])));
    expect(names(stream.request(ask(ENDPOINT, ['a'])))).toEqual(['a@1']);
  });

  it('32: a first wildcard request is answered though there is nothing', () => {
    expect(names(make(delta, snapshot(1, {})).request(ask(CLUSTER)))).toEqual(['']);
    expect(make(delta, snapshot(1, {})).request(ask(ENDPOINT)).sends).toEqual([]);
  });

  it('34: endpoints that come and go are a push of endpoints alone; those of a deleted service are told', () => {
    const stream = make(delta, snapshot(1, { cds: { a: '1' }, eds: { a: 'one' } }));
    ackAll(stream, stream.request(ask(CLUSTER)));
    ackAll(stream, stream.request(ask(ENDPOINT, ['a'])));
    for (const [revision, version] of [
      [2, 'empty'],
      [3, 'one'],
    ] as const) {
      const flip = stream.snapshot(snapshot(revision, { cds: { a: '1' }, eds: { a: version } }));
      expect([typesOf(flip), names(flip)]).toEqual([[ENDPOINT], [`a@${version}`]]);
      ackAll(stream, flip);
    }
    const gone = stream.snapshot(snapshot(4, {}));
    expect([typesOf(gone), names(gone)]).toEqual([[CLUSTER], [' -a']]);
    const after = stream.request(ask(CLUSTER, [], { nonce: nonceOf(gone) }));
    expect([typesOf(after), names(after)]).toEqual([[ENDPOINT], [' -a']]);
  });

  it('34: a name that is not there is answered, once, and sent when it comes', () => {
    const stream = make(delta, snapshot(1, { eds: {} }));
    const answer = stream.request(ask(ENDPOINT, ['ghost']));
    expect(names(answer)).toEqual([' -ghost']);
    ackAll(stream, answer);
    expect(stream.snapshot(snapshot(2, {})).sends).toEqual([]);
    expect(names(stream.snapshot(snapshot(3, { eds: { ghost: '1' } })))).toEqual(['ghost@1']);
  });

  it("a filter's configuration is never taken away", () => {
    const stream = make(delta, snapshot(1, { ecds: { x: '1' } }));
    ackAll(stream, stream.request(ask(EXTENSION, ['x'])));
    expect(stream.snapshot(snapshot(2, {})).sends).toEqual([]);
    expect(stream.settledRevision()).toBe(2);
    expect(names(stream.snapshot(snapshot(3, { ecds: { x: '2' } })))).toEqual(['x@2']);
  });
});
