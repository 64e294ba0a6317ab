/** What every store must do. A driver's test calls this with a way to open it; it runs on the real thing. */
import { describe, expect, it } from 'vitest';
import { isError } from '../model/errors.ts';
import type { Commit, Json, Store, StoreContext } from './store.ts';

export interface StoreKit {
  /** Opens a new, empty store. */
  open(context: StoreContext, options?: { history?: number }): Promise<Store>;
  /** Opens what `open` made a second time, as another process would; absent: the driver can't, for the reason given. */
  reopen?: (context: StoreContext) => Promise<Store>;
  readonly notReopenable?: string;
}

const clock: StoreContext = { now: () => Date.now() };

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'none';
  } catch (error) {
    return isError(error) ? error.code : String(error);
  }
}

async function take(watch: AsyncIterable<Commit>, count: number): Promise<number[]> {
  const revisions: number[] = [];
  if (count === 0) return revisions;
  for await (const commit of watch) {
    revisions.push(commit.revision);
    if (revisions.length === count) break;
  }
  return revisions;
}

const put = (key: string, value: Json = 1) => ({ op: 'put', key, value }) as const;

export function storeConformance(name: string, kit: StoreKit): void {
  describe(`store ${name}`, () => {
    it('gives back what was committed, with its revisions', async () => {
      const store = await kit.open(clock);
      expect(await store.get('a')).toBeUndefined();
      const value = { text: 'Wetter 天气 🌦', deep: [1, -2.5, null, true, { x: {} }], empty: '' };
      const first = await store.commit([put('a', value)]);
      expect(await store.get('a')).toEqual({ key: 'a', value, revision: first.revision, created: first.revision });
      const second = await store.commit([put('a', 2), put('b')]);
      expect(second.revision).toBeGreaterThan(first.revision);
      expect(await store.get('a')).toEqual({ key: 'a', value: 2, revision: second.revision, created: first.revision });
      await store.commit([{ op: 'delete', key: 'a' }]);
      expect(await store.get('a')).toBeUndefined();
      await store.close();
    });

    it('keeps the order of members: hashes are over the text', async () => {
      const store = await kit.open(clock);
      const value = { b: 1, a: { z: [{ y: 1, x: 2 }], c: 3 }, 天: '"\\u2028' };
      await store.commit([put('a', value)]);
      const [record] = (await store.list('')).records;
      expect(JSON.stringify(record?.value)).toBe(JSON.stringify(value));
      await store.close();
    });

    it('does not let a caller change what is stored', async () => {
      const store = await kit.open(clock);
      const value = { list: [1] };
      await store.commit([put('a', value)]);
      value.list.push(2);
      const read = await store.get('a');
      (read?.value as { list: number[] }).list.push(3);
      expect((await store.get('a'))?.value).toEqual({ list: [1] });
      await store.close();
    });

    it('lists a prefix, sorted, and nothing beside it', async () => {
      const store = await kit.open(clock);
      await store.commit(['a/2', 'a/10', 'a0', 'a', 'b/1', 'a/\u{10FFFD}', 'a/_', 'a/%'].map((key) => put(key)));
      const { records, revision } = await store.list('a/');
      expect(records.map((record) => record.key)).toEqual(['a/%', 'a/10', 'a/2', 'a/_', 'a/\u{10FFFD}']);
      expect(revision).toBe(records[0]?.revision);
      expect((await store.list('')).records).toHaveLength(8);
      await store.close();
    });

    it('has one winner in a race, and the losers change nothing', async () => {
      const store = await kit.open(clock);
      const { revision } = await store.commit([put('a', 'start')]);
      const results = await Promise.all(
        Array.from({ length: 20 }, async (_, index) =>
          codeOf(store.commit([put('a', index), put(`by/${index}`)], { expect: [{ key: 'a', revision }] })),
        ),
      );
      expect(results.filter((code) => code === 'none')).toHaveLength(1);
      expect(new Set(results)).toEqual(new Set(['none', 'precondition_failed']));
      expect((await store.list('by/')).records).toHaveLength(1);
      expect(await codeOf(store.commit([put('a')], { expect: [{ key: 'a', revision: 0 }] }))).toBe(
        'precondition_failed',
      );
      expect(await codeOf(store.commit([put('new')], { expect: [{ key: 'new', revision: 0 }] }))).toBe('none');
      await store.close();
    });

    it.each([
      ['undefined', undefined],
      ['NaN', NaN],
      ['a function', () => 1],
      ['a bigint', 1n],
      ['half a character', '\ud800'],
      ['a nested one', { a: [undefined] }],
      ['an object of a class', new Date()],
    ])('refuses a value that is not JSON: %s', async (_, value) => {
      const store = await kit.open(clock);
      expect(await codeOf(store.commit([put('ok'), { op: 'put', key: 'bad', value: value as Json }]))).toBe('invalid');
      expect(await store.get('ok')).toBeUndefined();
      await store.close();
    });

    it('refuses bad keys, a key twice, an empty commit and a value too large', async () => {
      const store = await kit.open(clock);
      expect(await codeOf(store.commit([put('')]))).toBe('invalid');
      expect(await codeOf(store.commit([put('k'.repeat(513))]))).toBe('invalid');
      expect(await codeOf(store.commit([put('a'), put('a')]))).toBe('invalid');
      expect(await codeOf(store.commit([]))).toBe('invalid');
      expect(await codeOf(store.commit([put('a', 'x'.repeat(1024 * 1024))]))).toBe('too_large');
      await store.close();
    });

    it('watches without gap or repeat, from history into what comes', async () => {
      const store = await kit.open(clock);
      for (let n = 0; n < 30; n += 1) await store.commit([put('a', n)]);
      const { revision } = await store.list('');
      const from = revision - 20;
      const stop = new AbortController();
      const watchers = [from, from + 7, revision].map(async (start) =>
        take(store.watch(start, stop.signal), revision + 50 - start),
      );
      await Promise.all(Array.from({ length: 50 }, async (_, n) => store.commit([put(`b/${n}`, n)])));
      for (const [index, start] of [from, from + 7, revision].entries()) {
        expect(await watchers[index]).toEqual(Array.from({ length: revision + 50 - start }, (_, n) => start + n + 1));
      }
      stop.abort();
      await store.close();
    });

    it('ends a watch at the signal, and at closing', async () => {
      const store = await kit.open(clock);
      const stop = new AbortController();
      const first = take(store.watch(0, stop.signal), 99);
      const second = take(store.watch(0, new AbortController().signal), 99);
      stop.abort();
      expect(await first).toEqual([]);
      await store.close();
      expect(await second).toEqual([]);
    });

    it('says so when the history asked for is gone', async () => {
      const store = await kit.open(clock, { history: 10 });
      for (let n = 0; n < 25; n += 1) await store.commit([put('a', n)]);
      const { revision } = await store.list('');
      const { signal } = new AbortController();
      expect(await codeOf(take(store.watch(revision - 11, signal), 1))).toBe('compacted');
      expect(await take(store.watch(revision - 10, signal), 10)).toHaveLength(10);
      await store.close();
    });

    it('gives a lease to one holder, with a token that grows', async () => {
      let now = 1_000;
      const store = await kit.open({ now: () => now });
      const first = await store.leases.acquire('leader', 'one', 100);
      expect(first).toMatchObject({ holder: 'one', expiresAt: 1_100 });
      expect(await store.leases.acquire('leader', 'two', 100)).toBeUndefined();
      expect((await store.leases.acquire('leader', 'one', 200))?.token).toBe(first?.token);
      now = 1_150;
      expect((await store.leases.renew('leader', first?.token ?? 0, 100))?.expiresAt).toBe(1_250);
      now = 1_300;
      const second = await store.leases.acquire('leader', 'two', 100);
      expect(second?.token).toBeGreaterThan(first?.token ?? 0);
      expect(await store.leases.renew('leader', first?.token ?? 0, 100)).toBeUndefined();
      await store.leases.release('leader', first?.token ?? 0);
      expect(await store.leases.acquire('leader', 'one', 100)).toBeUndefined();
      await store.leases.release('leader', second?.token ?? 0);
      const third = await store.leases.acquire('leader', 'one', 100);
      expect(third?.token).toBeGreaterThan(second?.token ?? 0);
      expect(await store.leases.list('lead')).toEqual([third]);
      expect(await store.leases.list('x')).toEqual([]);
      await store.close();
    });

    it('refuses a commit that is fenced with an old token', async () => {
      let now = 1_000;
      const store = await kit.open({ now: () => now });
      const first = await store.leases.acquire('leader', 'one', 100);
      const fence = { lease: 'leader', token: first?.token ?? 0 };
      expect(await codeOf(store.commit([put('a')], { fence }))).toBe('none');
      now = 1_100;
      expect(await codeOf(store.commit([put('a')], { fence }))).toBe('precondition_failed');
      await store.leases.acquire('leader', 'two', 100);
      expect(await codeOf(store.commit([put('b')], { fence }))).toBe('precondition_failed');
      expect(await store.get('b')).toBeUndefined();
      await store.close();
    });

    const { reopen } = kit;
    if (reopen === undefined) {
      it(`can not be opened twice: ${kit.notReopenable ?? ''}`, () => {
        expect(kit.notReopenable).toMatch(/.{10}/);
      });
      return;
    }

    it('shows two holders of one store each other’s commits', async () => {
      const one = await kit.open(clock);
      const two = await reopen(clock);
      const { signal } = new AbortController();
      const seen = take(two.watch(0, signal), 10);
      for (let n = 0; n < 10; n += 1) await (n % 3 === 0 ? two : one).commit([put('a', n)]);
      expect(await seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      const codes = await Promise.all(
        [one, two].flatMap((store) =>
          Array.from({ length: 10 }, async () =>
            codeOf(store.commit([put('a')], { expect: [{ key: 'a', revision: 10 }] })),
          ),
        ),
      );
      expect(codes.filter((code) => code === 'none')).toHaveLength(1);
      await one.close();
      await two.close();
    });

    it('keeps what was answered over closing and opening', async () => {
      const one = await kit.open(clock);
      const { revision } = await one.commit([put('a', 'kept')]);
      const lease = await one.leases.acquire('l', 'h', 60_000);
      await one.close();
      const two = await reopen(clock);
      expect(await two.get('a')).toMatchObject({ value: 'kept', revision });
      expect((await two.commit([put('b')])).revision).toBe(revision + 1);
      expect(await two.leases.list('')).toEqual([lease]);
      await two.close();
    });
  });
}
