/** The checklist, rows 41 to 43: when and what is pushed. Row 44, who may see it, is the API's (api.test.ts) and nodes.ts's, below. */
import { describe, expect, it } from 'vitest';
import { delta } from './delta.ts';
import { createGroup } from './group.ts';
import { createPacer, type PushKind } from './pacer.ts';
import { differenceOf, type Snapshot } from './snapshot.ts';
import { sotw } from './sotw.ts';
import { ackAll, ask, make, names, snapshot, time, typesOf } from './testing.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE, SECRET } from './types.ts';

const PACE = { quietMs: 20, longestMs: 500, batchMs: 5 };

function paced(): {
  changed(kind: PushKind): void;
  hurry(): void;
  advance(ms: number): void;
  pushes: string[];
  pending(): number;
} {
  const clock = time();
  const pushes: string[] = [];
  const pacer = createPacer({
    ...PACE,
    clock: clock.now,
    timer: clock.timer,
    push: (kind) => pushes.push(`${kind}@${clock.now()}`),
  });
  clock.advance(1_000);
  return {
    changed: (kind) => {
      pacer.changed(kind);
    },
    hurry: () => {
      pacer.hurry();
    },
    advance: (ms) => {
      clock.advance(ms);
    },
    pushes,
    pending: () => clock.pending(),
  };
}

describe('41: the pace of pushes', () => {
  it('endpoints alone go at once', () => {
    const pace = paced();
    pace.changed('endpoints');
    expect(pace.pushes).toEqual(['endpoints@1000']);
  });

  it('the first change of configuration goes at once, those that follow are one push', () => {
    const pace = paced();
    pace.changed('config');
    for (let n = 0; n < 5; n += 1) {
      pace.advance(10);
      pace.changed('config');
    }
    pace.advance(1_000);
    expect(pace.pushes).toEqual(['config@1000', 'config@1070']);
  });

  it('what somebody waits for goes at once, and what comes after it is gathered again', () => {
    const pace = paced();
    pace.hurry();
    pace.changed('config');
    pace.advance(5);
    pace.changed('config');
    pace.hurry();
    pace.changed('config');
    pace.advance(1_000);
    expect(pace.pushes).toEqual(['config@1000', 'config@1005', 'config@1025']);
    expect(pace.pending()).toBe(0);
  });

  it('endpoints go while configuration is gathered', () => {
    const pace = paced();
    pace.changed('config');
    pace.advance(10);
    pace.changed('config');
    pace.changed('endpoints');
    pace.advance(100);
    expect(pace.pushes).toEqual(['config@1000', 'endpoints@1010', 'config@1030']);
  });

  it('changes without end are pushed after the longest time', () => {
    const pace = paced();
    pace.changed('config');
    for (let n = 0; n < 120; n += 1) {
      pace.advance(10);
      pace.changed('config');
    }
    expect(pace.pushes).toEqual(['config@1000', 'config@1510', 'config@2010']);
  });

  it('one push at a time: what a push brings about waits for its end', () => {
    const clock = time();
    const seen: string[] = [];
    let depth = 0;
    const pacer = createPacer({
      ...PACE,
      clock: clock.now,
      timer: clock.timer,
      push(kind) {
        depth += 1;
        seen.push(`${kind} ${depth}`);
        if (seen.length < 3) pacer.changed('endpoints');
        depth -= 1;
      },
    });
    pacer.changed('config');
    clock.advance(100);
    expect(seen).toEqual(['config 1', 'endpoints 1', 'endpoints 1']);
  });

  it('a burst of endpoints is a few batches, and afterwards all is synchronous again', () => {
    const pace = paced();
    for (let n = 0; n < 20; n += 1) {
      pace.changed('endpoints');
      pace.advance(1);
    }
    pace.advance(100);
    expect(pace.pushes).toEqual([
      'endpoints@1000',
      'endpoints@1005',
      'endpoints@1010',
      'endpoints@1015',
      'endpoints@1020',
    ]);
    pace.changed('endpoints');
    expect([pace.pushes.at(-1), pace.pending()]).toEqual(['endpoints@1120', 0]);
  });

  it('endpoints that overtake configuration are those of the clusters that were pushed', () => {
    const clock = time();
    const pushed: Snapshot[] = [];
    const group = createGroup({ ...PACE, clock: clock.now, timer: clock.timer }, (next) => pushed.push(next));
    group.publish(snapshot(1, { cds: { a: '1' }, eds: { a: '1' } }));
    group.publish(snapshot(2, { cds: { b: '1' }, eds: { b: '1' } }));
    group.publish(snapshot(3, { cds: { b: '1' }, eds: { b: '2' } }));
    clock.advance(6);
    expect(pushed.at(-1)).toMatchObject({ revision: 1 });
    expect([...(pushed.at(-1)?.types.get(ENDPOINT)?.resources.keys() ?? [])]).toEqual(['a']);
    clock.advance(100);
    expect(pushed.at(-1)).toMatchObject({ revision: 3 });
    expect([group.changedBy(ENDPOINT, 'b'), group.changedBy(CLUSTER, 'b')]).toEqual([3, 2]);
  });
});

describe.each([sotw, delta])('42: what waits for a stream: $name', (variant) => {
  const keep = variant === sotw ? { [ENDPOINT]: ['a', 'b', 'c'] } : {};
  const set = (revision: number, eds: Record<string, string>): Snapshot => snapshot(revision, { eds });
  const ready = (): ReturnType<typeof make> => {
    const stream = make(variant, set(1, { a: '1', b: '1', c: '1' }));
    ackAll(stream, stream.request(ask(ENDPOINT, ['a', 'b', 'c'])), keep);
    return stream;
  };

  it('added: one change, one response', () => {
    expect(names(ready().snapshot(set(2, { a: '2', b: '1', c: '1' })))).toEqual(['a@2']);
  });
  it('the same twice is sent once', () => {
    const stream = ready();
    const first = stream.snapshot(set(2, { a: '2', b: '1', c: '1' }));
    expect(stream.snapshot(set(3, { a: '2', b: '1', c: '1' })).sends).toEqual([]);
    expect(ackAll(stream, first, keep)).toEqual(['a@2']);
  });
  it('taken back before it is sent: nothing is sent', () => {
    const stream = ready();
    stream.writable(false);
    stream.snapshot(set(2, { a: '2', b: '1', c: '1' }));
    stream.snapshot(set(3, { a: '1', b: '1', c: '1' }));
    expect(stream.writable(true).sends).toEqual([]);
    expect(stream.settledRevision()).toBe(3);
  });
  it('taken back while it is on its way: sent again after the ACK', () => {
    const stream = ready();
    const first = stream.snapshot(set(2, { a: '2', b: '1', c: '1' }));
    expect(stream.snapshot(set(3, { a: '1', b: '1', c: '1' })).sends).toEqual([]);
    expect(ackAll(stream, first, keep)).toEqual(['a@2', 'a@1']);
  });
  it('added while another is processed: goes when that is done, merged', () => {
    const stream = ready();
    const first = stream.snapshot(set(2, { a: '2', b: '1', c: '1' }));
    expect(stream.snapshot(set(3, { a: '3', b: '1', c: '1' })).sends).toEqual([]);
    expect(stream.snapshot(set(4, { a: '3', b: '4', c: '1' })).sends).toEqual([]);
    expect(ackAll(stream, first, keep)).toEqual(['a@2', 'a@3,b@4']);
  });
  it('types do not wait for each other without a reason', () => {
    const stream = ready();
    stream.snapshot(set(2, { a: '2', b: '1', c: '1' }));
    ackAll(stream, stream.request(ask(SECRET, ['s'])), variant === sotw ? { [SECRET]: ['s'] } : {});
    expect(typesOf(stream.snapshot(snapshot(3, { eds: { a: '2', b: '1', c: '1' }, sds: { s: '1' } })))).toEqual([
      SECRET,
    ]);
  });
  it('revisions settle in order, also when they are skipped', () => {
    const stream = ready();
    const first = stream.snapshot(set(2, { a: '2', b: '1', c: '1' }));
    stream.snapshot(set(5, { a: '2', b: '5', c: '1' }));
    expect(stream.settledRevision()).toBe(1);
    const second = stream.request(
      ask(ENDPOINT, variant === sotw ? ['a', 'b', 'c'] : [], { nonce: first.sends[0]?.nonce ?? '' }),
    );
    expect(stream.settledRevision()).toBe(2);
    ackAll(stream, second, keep);
    expect(stream.settledRevision()).toBe(5);
  });
  it('the order is that of the types', () => {
    const stream = make(variant);
    for (const type of [ROUTE, LISTENER, ENDPOINT, CLUSTER]) stream.request(ask(type, ['a']));
    const all = { a: '1' };
    expect(typesOf(stream.snapshot(snapshot(1, { cds: all, eds: all, lds: all, rds: all })))).toEqual([
      CLUSTER,
      ENDPOINT,
      LISTENER,
      ROUTE,
    ]);
  });
  it('many pushes at once leave one response on its way', () => {
    const stream = ready();
    let sends = 0;
    for (let revision = 2; revision < 100; revision += 1)
      sends += stream.snapshot(set(revision, { a: String(revision), b: '1', c: '1' })).sends.length;
    expect(sends).toBe(1);
  });
  it('a stream that ends takes what waits for it along', () => {
    const stream = ready();
    stream.writable(false);
    stream.snapshot(set(2, { a: '2', b: '1', c: '1' }));
    expect(stream.deadline()).toBeUndefined();
  });
});

describe.each([sotw, delta])('43: an unrelated change sends nothing: $name', (variant) => {
  const base = { cds: { a: '1' }, eds: { a: '1', b: '1' }, lds: { l: '1' }, rds: { r: '1' }, sds: { s: '1' } };
  const keep = variant === sotw ? { [ENDPOINT]: ['a'], [ROUTE]: ['r'], [SECRET]: ['s'] } : {};
  const rows: [string, object, string[]][] = [
    ['nothing', {}, []],
    ["another's endpoints", { eds: { a: '1', b: '2' } }, []],
    ['endpoints of nobody', { eds: { a: '1', b: '1', z: '1' } }, []],
    ["another's endpoints gone", { eds: { a: '1' } }, []],
    ['a secret of nobody', { sds: { s: '1', z: '1' } }, []],
    ['routes of nobody', { rds: { r: '1', z: '1' } }, []],
    ['a filter of nobody', { ecds: { x: '1' } }, []],
    ['own endpoints', { eds: { a: '2', b: '1' } }, [ENDPOINT]],
    ['own secret', { sds: { s: '2' } }, [SECRET]],
    ['routes', { rds: { r: '2' } }, [ROUTE]],
    ['the listener', { lds: { l: '2' } }, [LISTENER]],
    ['the cluster', { cds: { a: '2' } }, [CLUSTER, ENDPOINT]],
  ];
  it.each(rows)('%s', (_, change, expected) => {
    const stream = make(variant, snapshot(1, base));
    ackAll(stream, stream.request(ask(CLUSTER)), keep);
    for (const [type, list] of [
      [ENDPOINT, ['a']],
      [LISTENER, []],
      [ROUTE, ['r']],
      [SECRET, ['s']],
    ] as const)
      ackAll(stream, stream.request(ask(type, [...list])), keep);
    const output = stream.snapshot(snapshot(2, { ...base, ...change }));
    expect(typesOf(output)).toEqual(expected);
    ackAll(stream, output, keep);
    expect(stream.settledRevision()).toBe(2);
  });

  it('an equal snapshot has no difference', () => {
    expect([...differenceOf(snapshot(1, base), snapshot(2, base))]).toEqual([]);
  });
});
