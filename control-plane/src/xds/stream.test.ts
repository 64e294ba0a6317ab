/** The protocol core against the checklist of what an xDS server must get right; names carry the rule's number in that list. */
import { describe, expect, it } from 'vitest';
import { delta } from './delta.ts';
import type { Snapshot, TypeSet, TypeUrl } from './snapshot.ts';
import { sotw } from './sotw.ts';
import type { Output } from './events.ts';
import { createStream, type Stream } from './stream.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE } from './types.ts';
import type { Variant, XdsRequest } from './variant.ts';

type Content = Partial<Record<'cds' | 'eds' | 'lds' | 'rds', Record<string, string>>>;
const URLS = { cds: CLUSTER, eds: ENDPOINT, lds: LISTENER, rds: ROUTE } as const;

function snapshot(revision: number, content: Content): Snapshot {
  const types = new Map<TypeUrl, TypeSet>();
  for (const [short, url] of Object.entries(URLS) as [keyof typeof URLS, TypeUrl][]) {
    const entries = Object.entries(content[short] ?? {});
    const resources = new Map(entries.map(([name, version]) => [name, { name, version, body: new Uint8Array() }]));
    types.set(url, { version: JSON.stringify(entries), resources });
  }
  return { revision, types };
}

function make(variant: Variant, first?: Snapshot): Stream {
  const stream = createStream({ variant, noncePrefix: 'n', now: () => 0 });
  if (first !== undefined) stream.snapshot(first);
  return stream;
}

const ask = (type: TypeUrl, names: string[] = [], more: Partial<XdsRequest> = {}): XdsRequest => ({
  type,
  nonce: '',
  error: undefined,
  names,
  ...more,
});

function names(output: Output): string[] {
  return output.sends.map(
    (send) =>
      `${send.resources.map((one) => `${one.name}@${one.version}`).join(',')}${send.removed.length > 0 ? ` -${send.removed.join(',-')}` : ''}`,
  );
}

/** Acknowledges everything that was sent, until nothing more comes; returns all that came. */
function ackAll(stream: Stream, output: Output, keep: Partial<Record<TypeUrl, string[]>> = {}): string[] {
  const seen: string[] = [];
  const queue = [...output.sends];
  for (let send = queue.shift(); send !== undefined; send = queue.shift()) {
    seen.push(...names({ sends: [send], notices: [] }));
    queue.push(...stream.request(ask(send.type, keep[send.type] ?? [], { nonce: send.nonce })).sends);
  }
  return seen;
}

const nonceOf = (output: Output): string => output.sends[0]?.nonce ?? '';

describe('state of the world', () => {
  it('11: a stale nonce is ignored, a fresh one served', () => {
    const stream = make(sotw, snapshot(1, { eds: { a: '1', b: '1' } }));
    stream.request(ask(ENDPOINT, ['a']));
    const stale = stream.request(ask(ENDPOINT, ['a', 'b'], { nonce: 'old' }));
    expect(stale).toEqual({ sends: [], notices: [{ kind: 'stale', type: ENDPOINT }] });
    expect(names(stream.request(ask(ENDPOINT, ['a', 'b'], { nonce: 'n1' })))).toEqual(['b@1']);
  });

  it('12: initial, ACK, same names in another order, more names, unsubscribe', () => {
    const stream = make(sotw, snapshot(1, { eds: { a: '1', b: '1', c: '1' } }));
    const first = stream.request(ask(ENDPOINT, ['a', 'b']));
    expect(names(first)).toEqual(['a@1,b@1']);
    expect(names(stream.request(ask(ENDPOINT, ['a', 'b'], { nonce: nonceOf(first) })))).toEqual([]);
    expect(names(stream.request(ask(ENDPOINT, ['b', 'a'], { nonce: nonceOf(first) })))).toEqual([]);
    const more = stream.request(ask(ENDPOINT, ['a', 'b', 'c'], { nonce: nonceOf(first) }));
    expect(names(more)).toEqual(['c@1']);
    expect(names(stream.request(ask(ENDPOINT, [], { nonce: nonceOf(more) })))).toEqual([]);
  });

  it('13: after a NACK nothing is sent until the content changes; the error shows', () => {
    const stream = make(sotw, snapshot(1, { cds: { a: '1' } }));
    const first = stream.request(ask(CLUSTER));
    const nack = stream.request(ask(CLUSTER, [], { nonce: nonceOf(first), error: 'bad field' }));
    expect(nack.sends).toEqual([]);
    expect(nack.notices).toMatchObject([{ kind: 'nack', message: 'bad field' }]);
    expect(stream.types()['cds']).toMatchObject({ state: 'ERROR', nack: { message: 'bad field' } });
    expect(stream.snapshot(snapshot(2, { cds: { a: '1' } })).sends).toEqual([]);
    const fixed = stream.snapshot(snapshot(3, { cds: { a: '2' } }));
    expect(names(fixed)).toEqual(['a@2']);
    ackAll(stream, fixed);
    expect(stream.types()['cds']).toMatchObject({ state: 'SYNCED' });
    expect(stream.settledRevision()).toBe(3);
  });

  it('14: every nonce is another', () => {
    const stream = make(sotw, snapshot(1, { eds: { a: '1' } }));
    const first = stream.request(ask(ENDPOINT, ['a']));
    stream.request(ask(ENDPOINT, ['a'], { nonce: nonceOf(first) }));
    expect(nonceOf(stream.snapshot(snapshot(2, { eds: { a: '2' } })))).not.toBe(nonceOf(first));
  });

  it('15 and 16: A, B, both, none, A again are each answered right', () => {
    const stream = make(sotw, snapshot(1, { rds: { a: '1', b: '1' } }));
    let nonce = '';
    const step = (wanted: string[]): string[] => {
      const output = stream.request(ask(ROUTE, wanted, { nonce }));
      nonce = output.sends[0]?.nonce ?? nonce;
      return names(output);
    };
    expect([step(['a']), step(['b']), step(['a', 'b']), step([]), step(['a'])]).toEqual([
      ['a@1'],
      ['b@1'],
      ['a@1'],
      [],
      ['a@1'],
    ]);
  });

  it('18: the legacy wildcard ends with the first name, and then empty means nothing', () => {
    const stream = make(sotw, snapshot(1, { cds: { a: '1', b: '1' } }));
    const all = stream.request(ask(CLUSTER));
    expect(names(all)).toEqual(['a@1,b@1']);
    stream.request(ask(CLUSTER, ['a'], { nonce: nonceOf(all) }));
    stream.request(ask(CLUSTER, [], { nonce: nonceOf(all) }));
    expect(stream.snapshot(snapshot(2, { cds: { a: '2', b: '2' } })).sends).toEqual([]);
  });

  it('19: what is deleted of clusters is told by the full list, also an empty one; of endpoints by silence', () => {
    const stream = make(sotw, snapshot(1, { cds: { a: '1' }, eds: { a: '1' } }));
    ackAll(stream, stream.request(ask(CLUSTER)));
    ackAll(stream, stream.request(ask(ENDPOINT, ['a'])), { [ENDPOINT]: ['a'] });
    const gone = stream.snapshot(snapshot(2, {}));
    expect(gone.sends.map((send) => [send.type, send.resources.length])).toEqual([[CLUSTER, 0]]);
  });

  it('20: clusters asked for by name are all sent when one changes', () => {
    const stream = make(sotw, snapshot(1, { cds: { a: '1', b: '1', c: '1' } }));
    ackAll(stream, stream.request(ask(CLUSTER, ['a', 'b'])), { [CLUSTER]: ['a', 'b'] });
    expect(names(stream.snapshot(snapshot(2, { cds: { a: '2', b: '1', c: '2' } })))).toEqual(['a@2,b@1']);
  });

  it('22: endpoints first, with a nonce of an earlier stream, are answered', () => {
    const stream = make(sotw, snapshot(1, { cds: { a: '1' }, eds: { a: '1' } }));
    expect(names(stream.request(ask(ENDPOINT, ['a'], { nonce: 'of-before' })))).toEqual(['a@1']);
    expect(names(stream.request(ask(CLUSTER)))).toEqual(['a@1']);
  });
});

describe.each([sotw, delta])('both variants: $name', (variant) => {
  it('23: nothing is sent before there is a snapshot, and then at once', () => {
    const stream = make(variant);
    expect(stream.request(ask(CLUSTER)).sends).toEqual([]);
    expect(names(stream.snapshot(snapshot(1, { cds: { a: '1' } })))).toEqual(['a@1']);
  });

  it('32: a first wildcard request is answered though there is nothing', () => {
    expect(make(variant, snapshot(1, {})).request(ask(CLUSTER)).sends).toHaveLength(1);
  });

  it('43: an unrelated change sends nothing', () => {
    const stream = make(variant, snapshot(1, { eds: { a: '1', b: '1' } }));
    ackAll(stream, stream.request(ask(ENDPOINT, ['a'])), { [ENDPOINT]: variant === sotw ? ['a'] : [] });
    expect(stream.snapshot(snapshot(2, { eds: { a: '1', b: '2' } })).sends).toEqual([]);
    expect(stream.settledRevision()).toBe(2);
  });

  it('39: a changed cluster brings its endpoints again', () => {
    const stream = make(variant, snapshot(1, { cds: { a: '1' }, eds: { a: '1' } }));
    ackAll(stream, stream.request(ask(CLUSTER)));
    ackAll(stream, stream.request(ask(ENDPOINT, ['a'])), { [ENDPOINT]: variant === sotw ? ['a'] : [] });
    const change = stream.snapshot(snapshot(2, { cds: { a: '2' }, eds: { a: '1' } }));
    expect(change.sends.map((send) => send.type)).toEqual([CLUSTER, ENDPOINT]);
  });

  it('24: make before break: routes wait for clusters and endpoints, removals for routes', () => {
    const stream = make(variant, snapshot(1, { cds: { a: '1' }, eds: { a: '1' }, rds: { r: '1' } }));
    const keep = variant === sotw ? { [ENDPOINT]: ['a'], [ROUTE]: ['r'] } : {};
    ackAll(stream, stream.request(ask(CLUSTER)), keep);
    ackAll(stream, stream.request(ask(ENDPOINT, ['a'])), keep);
    ackAll(stream, stream.request(ask(ROUTE, ['r'])), keep);
    const change = stream.snapshot(snapshot(2, { cds: { b: '1' }, eds: { b: '1' }, rds: { r: '2' } }));
    // State of the world names the old cluster too, or it would be deleted.
    expect(names(change)).toEqual([variant === sotw ? 'b@1,a@1' : 'b@1']);
    const asked = stream.request(
      ask(ENDPOINT, variant === sotw ? ['a', 'b'] : ['b'], variant === sotw ? { nonce: 'n2' } : {}),
    );
    const acked = stream.request(ask(CLUSTER, [], { nonce: nonceOf(change) }));
    expect([...asked.sends, ...acked.sends].map((send) => send.type)).toEqual([ENDPOINT]);
    const route = stream.request(
      ask(ENDPOINT, variant === sotw ? ['a', 'b'] : [], { nonce: nonceOf(asked) || nonceOf(acked) }),
    );
    expect(names(route)).toEqual(['r@2']);
    expect(stream.settledRevision()).toBe(1);
    const last = stream.request(ask(ROUTE, variant === sotw ? ['r'] : [], { nonce: nonceOf(route) }));
    expect(names(last)).toEqual([variant === sotw ? 'b@1 -a' : ' -a']);
    ackAll(stream, last, keep);
    expect(stream.settledRevision()).toBe(2);
  });
});

describe('delta', () => {
  it('25 and 26: only what changed is sent, what went is removed', () => {
    const stream = make(delta, snapshot(1, { cds: { a: '1', b: '1' } }));
    ackAll(stream, stream.request(ask(CLUSTER)));
    expect(ackAll(stream, stream.snapshot(snapshot(2, { cds: { a: '2', b: '1' } })))).toEqual(['a@2']);
    expect(ackAll(stream, stream.snapshot(snapshot(3, { cds: { a: '2' } })))).toEqual([' -b']);
    expect(stream.snapshot(snapshot(4, { cds: { a: '2' } })).sends).toEqual([]);
    expect(stream.settledRevision()).toBe(4);
  });

  it('27: versions from before are not sent again, stale ones are, gone ones removed', () => {
    const stream = make(delta, snapshot(1, { cds: { a: '1', b: '2' } }));
    expect(names(stream.request(ask(CLUSTER, [], { initialVersions: { a: '1', b: '1', c: '1' } })))).toEqual([
      'b@2 -c',
    ]);
  });

  it('29: a name that is unsubscribed under a wildcard is sent again, one that does not exist is told removed', () => {
    const stream = make(delta, snapshot(1, { cds: { a: '1' } }));
    ackAll(stream, stream.request(ask(CLUSTER)));
    ackAll(stream, stream.request(ask(CLUSTER, ['a', 'ghost'])));
    expect(names(stream.request(ask(CLUSTER, [], { unsubscribe: ['a'] })))).toEqual(['a@1']);
  });

  it('30: unsubscribing what was never subscribed is silent', () => {
    const stream = make(delta, snapshot(1, { eds: { a: '1' } }));
    ackAll(stream, stream.request(ask(ENDPOINT, ['a'])));
    expect(stream.request(ask(ENDPOINT, [], { unsubscribe: ['never'] })).sends).toEqual([]);
    expect(stream.request(ask(ENDPOINT, [], { unsubscribe: ['a'] })).sends).toEqual([]);
  });

  it('34: a name that is not there is answered, once', () => {
    const stream = make(delta, snapshot(1, { eds: {} }));
    const answer = stream.request(ask(ENDPOINT, ['ghost']));
    expect(names(answer)).toEqual([' -ghost']);
    ackAll(stream, answer);
    expect(stream.snapshot(snapshot(2, {})).sends).toEqual([]);
    expect(names(stream.snapshot(snapshot(3, { eds: { ghost: '1' } })))).toEqual(['ghost@1']);
  });

  it('asking again for a name that is held is answered again', () => {
    const stream = make(delta, snapshot(1, { eds: { a: '1' } }));
    ackAll(stream, stream.request(ask(ENDPOINT, ['a'])));
    expect(names(stream.request(ask(ENDPOINT, ['a'])))).toEqual(['a@1']);
  });

  it('48: one bad resource among many is found, and all others arrive', () => {
    const good = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`c${String(n).padStart(2, '0')}`, '1']));
    const stream = make(delta, snapshot(1, { cds: { ...good, bad: '1' } }));
    const arrived = new Set<string>();
    const queue = [...stream.request(ask(CLUSTER)).sends];
    let answers = 0;
    for (let send = queue.shift(); send !== undefined && answers < 50; send = queue.shift()) {
      answers += 1;
      const isBad = send.resources.some((one) => one.name === 'bad');
      if (!isBad) for (const one of send.resources) arrived.add(one.name);
      queue.push(
        ...stream.request(ask(CLUSTER, [], { nonce: send.nonce, error: isBad ? 'bad: no' : undefined })).sends,
      );
    }
    expect([...arrived].sort()).toEqual(Object.keys(good).sort());
    expect(stream.refusals()).toMatchObject([{ name: 'bad', message: 'bad: no' }]);
    expect(answers).toBeLessThan(15);
    const fixed = stream.snapshot(snapshot(2, { cds: { ...good, bad: '2' } }));
    expect(names(fixed)).toEqual(['bad@2']);
    ackAll(stream, fixed);
    expect(stream.refusals()).toEqual([]);
    expect(stream.types()['cds']?.state).toBe('SYNCED');
  });

  it('one response of a type is on its way; what changes meanwhile is merged into the next', () => {
    const stream = make(delta, snapshot(1, { eds: { a: '1', b: '1' } }));
    const first = stream.request(ask(ENDPOINT, ['a', 'b']));
    expect(stream.snapshot(snapshot(2, { eds: { a: '2', b: '1' } })).sends).toEqual([]);
    expect(stream.snapshot(snapshot(3, { eds: { a: '3', b: '2' } })).sends).toEqual([]);
    expect(names(stream.request(ask(ENDPOINT, [], { nonce: nonceOf(first) })))).toEqual(['a@3,b@2']);
  });
});
