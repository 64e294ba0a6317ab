/** The checklist, rows 45, 47 and 48, and make before break. Row 46, live sessions, is test/integration/laws.test.ts. */
import { describe, expect, it } from 'vitest';
import { checkSnapshot } from './check.ts';
import { delta } from './delta.ts';
import { mentions, split } from './isolate.ts';
import type { Snapshot } from './snapshot.ts';
import { sotw } from './sotw.ts';
import type { Stream } from './stream.ts';
import { ackAll, ask, make, names, nonceOf, snapshot, time, typesOf } from './testing.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE } from './types.ts';

const VARIANTS = [sotw, delta];

it('45: another listener than before is told', () => {
  const found = checkSnapshot(snapshot(2, { lds: { l: '2' } }), snapshot(1, { lds: { l: '1' } }));
  expect(found.filter(({ message }) => message.includes('session'))).toMatchObject([
    { type: LISTENER, name: 'l', breaks: false },
  ]);
  expect(checkSnapshot(snapshot(2, { lds: {} }), snapshot(1, { lds: {} }))).toEqual([]);
});

describe.each(VARIANTS)('47: a control plane that knows nothing yet deletes nothing: $name', (variant) => {
  it('answers only once there is a snapshot, whatever Envoy says it has', () => {
    const stream = make(variant);
    const before = { initialVersions: { a: '1' }, version: 'v1', nonce: variant === sotw ? 'old' : '' };
    for (const [type, list] of [
      [CLUSTER, []],
      [ENDPOINT, ['a']],
      [LISTENER, []],
      [ROUTE, ['r']],
    ] as const)
      expect(stream.request(ask(type, [...list], before)).sends).toEqual([]);
    expect(stream.tick().sends).toEqual([]);
    expect(stream.settledRevision()).toBe(0);
  });
});

/** An Envoy that refuses every response with a bad resource in it, as a whole; tells what it has in the end. */
function refusing(
  stream: Stream,
  first: ReturnType<Stream['request']>,
  isBad: (name: string, version: string) => boolean,
  text: (names: string[]) => string,
): { has: Map<string, string>; answers: number } {
  const has = new Map<string, string>();
  const queue = [...first.sends];
  let answers = 0;
  for (let send = queue.shift(); send !== undefined; send = queue.shift()) {
    answers += 1;
    if (answers > 200) throw new Error('it never ends');
    const bad = send.resources.filter(({ name, version }) => isBad(name, version)).map(({ name }) => name);
    if (bad.length === 0) {
      if (stream.types()['cds'] !== undefined && send.removed.length > 0)
        for (const name of send.removed) has.delete(name);
      for (const { name, version } of send.resources) has.set(name, version);
    }
    const error = bad.length === 0 ? undefined : text(bad);
    queue.push(...stream.request(ask(send.type, [], { nonce: send.nonce, error })).sends);
  }
  return { has, answers };
}

describe.each(VARIANTS)('48: a refused resource does not hold up others: $name', (variant) => {
  const good = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`c${String(n).padStart(2, '0')}`, '1']));
  const isBad = (name: string, version: string): boolean => name.startsWith('bad') && version === '1';

  it.each([
    ['its text says nothing', () => 'Proto constraint validation failed', 14],
    ['its text names it', (bad: string[]) => `Error adding/updating cluster(s) ${bad.join(', ')}: no`, 4],
    ['its text names another', () => 'c03: no', 20],
  ])('at the start: %s', (_, text, most) => {
    const stream = make(variant, snapshot(1, { cds: { ...good, bad: '1' } }));
    const { has, answers } = refusing(stream, stream.request(ask(CLUSTER)), isBad, text);
    expect([...has.keys()].sort()).toEqual(Object.keys(good).sort());
    expect(stream.refusals()).toMatchObject([{ name: 'bad', after: 0, upTo: 1 }]);
    expect(answers).toBeLessThanOrEqual(most);
    expect(stream.settledRevision()).toBe(1);
    const fixed = stream.snapshot(snapshot(2, { cds: { ...good, bad: '2' } }));
    expect(names(fixed)[0]).toContain('bad@2');
    ackAll(stream, fixed);
    expect([stream.refusals(), stream.types()['cds']?.state]).toEqual([[], 'SYNCED']);
  });

  it('a bad change leaves its last good version in force, while others change', () => {
    const stream = make(variant, snapshot(1, { cds: { a: '1', bad: '0' } }));
    ackAll(stream, stream.request(ask(CLUSTER)));
    const change = stream.snapshot(snapshot(2, { cds: { a: '1', bad: '1' } }));
    const { has } = refusing(stream, change, isBad, () => 'no');
    expect(has.get('bad')).toBeUndefined();
    expect(stream.resources(CLUSTER).find(({ name }) => name === 'bad')).toMatchObject({
      state: 'ERROR',
      sent: '1',
      acked: '0',
    });
    const other = stream.snapshot(snapshot(3, { cds: { a: '3', bad: '1' } }));
    // State of the world names it in its last good form, or it would be deleted.
    expect(names(other)).toEqual([variant === sotw ? 'a@3,bad@0' : 'a@3']);
    ackAll(stream, other);
    expect(stream.settledRevision()).toBe(3);
    expect(stream.refusals()).toMatchObject([{ name: 'bad', after: 1, upTo: 2 }]);
  });

  it('two bad ones among many are both found', () => {
    const stream = make(variant, snapshot(1, { cds: { ...good, bad1: '1', bad2: '1' } }));
    const { has } = refusing(stream, stream.request(ask(CLUSTER)), isBad, () => 'no');
    expect(has.size).toBe(20);
    expect(
      stream
        .refusals()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['bad1', 'bad2']);
  });

  it('when all are refused it ends, and each is named', () => {
    const stream = make(variant, snapshot(1, { cds: good }));
    const { has, answers } = refusing(
      stream,
      stream.request(ask(CLUSTER)),
      () => true,
      () => 'no',
    );
    expect([has.size, stream.refusals().length]).toEqual([0, 20]);
    expect(answers).toBeLessThan(60);
  });

  it("a refusal is not that of another's write", () => {
    const changedBy = (_: string, name: string): number => (name === 'bad' ? 2 : 3);
    const stream = make(variant, snapshot(1, { cds: { a: '1' } }), { changedBy });
    ackAll(stream, stream.request(ask(CLUSTER)));
    stream.writable(false);
    stream.snapshot(snapshot(2, { cds: { a: '1', bad: '1' } }));
    stream.snapshot(snapshot(3, { cds: { a: '3', bad: '1' } }));
    refusing(stream, stream.writable(true), isBad, () => 'no');
    expect(stream.refusals()).toMatchObject([{ name: 'bad', after: 1, upTo: 2 }]);
  });
});

describe('taking a response apart', () => {
  it('reads names as whole words', () => {
    expect([
      mentions('cluster a: no', 'a'),
      mentions('cluster ab: no', 'a'),
      mentions('see a.', 'a'),
      mentions('a.b', 'a'),
      mentions('', ''),
    ]).toEqual([true, false, true, false, false]);
  });
  it('always makes smaller parts that hold all names', () => {
    for (const [list, text] of [
      [['a', 'b', 'c'], 'b'],
      [['a', 'b'], 'a b'],
      [['a', 'b', 'c'], ''],
    ] as const) {
      const parts = split(list, text);
      expect(parts.flat().sort()).toEqual([...list].sort());
      expect(parts.every((part) => part.length > 0 && part.length < list.length)).toBe(true);
    }
  });
});

describe.each(VARIANTS)('make before break: $name', (variant) => {
  const keep = variant === sotw ? { [ENDPOINT]: ['a', 'b'], [ROUTE]: ['r'] } : {};
  const before: Snapshot = snapshot(1, { cds: { a: '1' }, eds: { a: '1' }, lds: { l: '1' }, rds: { r: '1' } });
  const after: Snapshot = snapshot(2, { cds: { b: '1' }, eds: { b: '1' }, lds: { l: '1' }, rds: { r: '2' } });
  function started(clock = time()): Stream {
    const stream = make(variant, before, { clock: clock.now, waitLimitMs: 1_000 });
    for (const [type, list] of [
      [CLUSTER, []],
      [ENDPOINT, ['a']],
      [LISTENER, []],
      [ROUTE, ['r']],
    ] as const)
      ackAll(stream, stream.request(ask(type, [...list])), { ...keep, [ENDPOINT]: variant === sotw ? ['a'] : [] });
    return stream;
  }
  const more = (nonce: string): ReturnType<typeof ask> =>
    ask(ENDPOINT, variant === sotw ? ['a', 'b'] : ['b'], variant === sotw ? { nonce } : {});

  it('routes wait for the ACKs of clusters and endpoints; what is removed goes after the ACK of routes, also beside other changes', () => {
    const stream = started();
    const clusters = stream.snapshot(after);
    expect(typesOf(clusters)).toEqual([CLUSTER]);
    expect(names(clusters)).toEqual([variant === sotw ? 'b@1,a@1' : 'b@1']);
    const endpoints = stream.request(more('n2'));
    expect(typesOf(endpoints)).toEqual([ENDPOINT]);
    expect(stream.request(ask(CLUSTER, [], { nonce: nonceOf(clusters) })).sends).toEqual([]);
    const routes = stream.request(ask(ENDPOINT, variant === sotw ? ['a', 'b'] : [], { nonce: nonceOf(endpoints) }));
    expect(names(routes)).toEqual(['r@2']);
    expect(stream.settledRevision()).toBe(1);
    const gone = stream.request(ask(ROUTE, variant === sotw ? ['r'] : [], { nonce: nonceOf(routes) }));
    expect([typesOf(gone), names(gone)]).toEqual([[CLUSTER], [variant === sotw ? 'b@1 -a' : ' -a']]);
    ackAll(stream, gone, keep);
    expect(stream.settledRevision()).toBe(2);
  });

  it('an Envoy that does not answer gets the routes after the limit, and why is told', () => {
    const clock = time();
    const stream = started(clock);
    stream.snapshot(after);
    expect(stream.behind()).toEqual(
      expect.arrayContaining(['rds waits for the ACK of cds b', 'cds removal waits for the ACK of rds r']),
    );
    expect(stream.deadline()).toBe(1_000);
    clock.advance(1_001);
    const late = stream.tick();
    expect(typesOf(late)).toContain(ROUTE);
    expect(late.notices).toMatchObject([
      { kind: 'late', type: ROUTE, message: expect.stringContaining('cds b') as unknown },
    ]);
    expect(stream.behind().join()).toContain('cds: no answer');
  });

  it('while the new routes are refused the old clusters stay, however long, and later writes settle', () => {
    const clock = time();
    const stream = started(clock);
    const clusters = stream.snapshot(after);
    const endpoints = stream.request(more('n2'));
    stream.request(ask(CLUSTER, [], { nonce: nonceOf(clusters) }));
    const routes = stream.request(ask(ENDPOINT, variant === sotw ? ['a', 'b'] : [], { nonce: nonceOf(endpoints) }));
    const refused = stream.request(ask(ROUTE, variant === sotw ? ['r'] : [], { nonce: nonceOf(routes), error: 'no' }));
    clock.advance(60_000);
    expect([...refused.sends, ...stream.tick().sends]).toEqual([]);
    expect(stream.deadline()).toBeUndefined();
    expect(stream.behind().join()).toContain('is kept');
    const later = stream.snapshot(snapshot(3, { cds: { b: '3' }, eds: { b: '1' }, lds: { l: '1' }, rds: { r: '2' } }));
    expect(names(later)[0]).toBe(variant === sotw ? 'b@3,a@1' : 'b@3');
    ackAll(stream, later, keep);
    expect(stream.settledRevision()).toBe(3);
    const mended = stream.snapshot(snapshot(4, { cds: { b: '3' }, eds: { b: '1' }, lds: { l: '1' }, rds: { r: '4' } }));
    expect(ackAll(stream, mended, keep).slice(0, 2)).toEqual(['r@4', variant === sotw ? 'b@3 -a' : ' -a']);
    expect(stream.settledRevision()).toBe(4);
  });

  it('endpoints that change without end do not keep routes back', () => {
    const stream = started();
    stream.snapshot(snapshot(2, { cds: { a: '1' }, eds: { a: '2' }, lds: { l: '1' }, rds: { r: '1' } }));
    const both = stream.snapshot(snapshot(3, { cds: { a: '1' }, eds: { a: '3' }, lds: { l: '1' }, rds: { r: '2' } }));
    expect(typesOf(both)).toEqual([ROUTE]);
  });
});

describe.each(VARIANTS)('what it has for certain: $name', (variant) => {
  it('is the version that it acknowledged, and nothing while another is on its way or was refused', () => {
    const stream = make(variant, snapshot(1, { cds: { a: '1' }, eds: { a: '1' } }));
    const first = stream.request(ask(ENDPOINT, ['a']));
    expect(stream.runs(ENDPOINT, 'a')).toBeUndefined();
    // Delta names what is new, state of the world everything.
    const again = variant === sotw ? ['a'] : [];
    stream.request(ask(ENDPOINT, again, { nonce: nonceOf(first) }));
    expect([stream.runs(ENDPOINT, 'a'), stream.runs(ENDPOINT, 'b')]).toEqual(['1', undefined]);
    const second = stream.snapshot(snapshot(2, { cds: { a: '1' }, eds: { a: '2' } }));
    expect(stream.runs(ENDPOINT, 'a')).toBeUndefined();
    stream.request(ask(ENDPOINT, again, { nonce: nonceOf(second), error: 'no' }));
    expect(stream.runs(ENDPOINT, 'a')).not.toBe('2');
  });
});
