/** The chain as the registry writes it and as it stands in the store, where somebody then changes something. */
import { describe, expect, it } from 'vitest';
import { createLog } from '../log.ts';
import type { Event } from '../model/event.ts';
import { memoryStore } from '../store/drivers/memory.ts';
import type { Store, StoredRecord } from '../store/store.ts';
import { verify } from './chain.ts';
import { createRegistry } from './create.ts';
import type { EventRetention } from './events.ts';
import { CHAIN_KEY } from './keys.ts';
import type { Registry } from './registry.ts';

let at = Date.parse('2026-01-01T00:00:00.000Z');
const now = (): number => at;

async function emptyStore(): Promise<Store> {
  return memoryStore.create(memoryStore.options.parse({}), { now });
}
async function registryOf(store: Store, events?: EventRetention): Promise<Registry> {
  return createRegistry({ store, now, log: createLog('silent'), ...(events === undefined ? {} : { events }) });
}
async function note(registry: Registry, message: string): Promise<void> {
  at += 1;
  await registry.note({ action: 'gateway.drift', subject: { kind: 'Test', name: 'x' }, message }, { actor: 'ann' });
}
async function written(count: number): Promise<{ store: Store; records: StoredRecord[] }> {
  const store = await emptyStore();
  const registry = await registryOf(store);
  for (let n = 1; n <= count; n += 1) await note(registry, `change ${n}`);
  await registry.close();
  return { store, records: (await store.list('')).records };
}

const isEvent = ({ key }: StoredRecord): boolean => key.startsWith('event/');
const numberOf = ({ value }: StoredRecord): number => (value as unknown as Event).chain?.number ?? 0;
const without = (records: readonly StoredRecord[], ...numbers: number[]): StoredRecord[] =>
  records.filter((record) => !isEvent(record) || !numbers.includes(numberOf(record)));
const changed = (records: readonly StoredRecord[], number: number, change: object): StoredRecord[] =>
  records.map((record) =>
    isEvent(record) && numberOf(record) === number
      ? { ...record, value: { ...Object(record.value), ...change } as StoredRecord['value'] }
      : record,
  );
const messages = (records: readonly StoredRecord[]): string[] => verify(records).problems.map((one) => one.message);

describe('the chain of events', () => {
  it('fits what was written, over a restart too', async () => {
    const { store, records } = await written(5);
    expect(verify(records)).toMatchObject({
      ok: true,
      checked: 5,
      unsealed: 0,
      head: { number: 5 },
      floor: { number: 0 },
    });
    const registry = await registryOf(store);
    await note(registry, 'after the restart');
    expect(await registry.verifyEvents()).toMatchObject({ ok: true, checked: 6, head: { number: 6 } });
    await registry.close();
  });

  it('shows what was changed, taken out, put in or cut off', async () => {
    const { records } = await written(6);
    expect(messages(changed(records, 3, { message: 'nothing happened' }))).toEqual([
      expect.stringContaining('it was changed, or the one before it was (number 3)') as string,
    ]);
    expect(messages(changed(records, 3, { at: '2020-01-01T00:00:00.000Z' }))).toHaveLength(1);
    expect(messages(without(records, 3))).toEqual(['event number 3 is missing']);
    expect(messages(without(records, 1, 2))).toEqual(['events number 1 to 2 are missing']);
    expect(messages(without(records, 5, 6))).toEqual(['events number 5 to 6 are missing at the end']);
    expect(messages(without(records, 1, 2, 3, 4, 5, 6))).toEqual(['events number 1 to 6 are missing at the end']);
    expect(messages(changed(records, 3, { chain: undefined }))).toEqual([
      'was put in, or its hash was taken out',
      'event number 3 is missing',
    ]);
    const [first] = records.filter(isEvent);
    const forged = [...records, ...(first === undefined ? [] : [{ ...first, key: 'event/zzz' }])];
    expect(messages(forged)[0]).toContain('has the number 1, which another one has or had');
    expect(messages(records.filter(({ key }) => key !== CHAIN_KEY))).toEqual(['the record of the chain is missing']);
  });

  it('that was made anew as a whole is shown by a head that was kept', async () => {
    const { records } = await written(4);
    const { head } = verify(records);
    const other = (await written(6)).records;
    expect(verify(other).ok).toBe(true);
    expect(verify(other, head).problems[0]?.message).toContain('another hash than the one that was noted');
    expect(verify(records, head).ok).toBe(true);
    expect(verify((await written(2)).records, head).problems[0]?.message).toContain('ends at number 2');
  });

  it('goes on over retention, from the last that was deleted', async () => {
    const store = await emptyStore();
    const registry = await registryOf(store, { most: 100, keepMs: 1e12 });
    for (let n = 1; n <= 350; n += 1) await note(registry, `change ${n}`);
    const report = await registry.verifyEvents();
    expect(report).toMatchObject({ ok: true, head: { number: 350 }, floor: { number: 200 }, checked: 150 });
    await registry.close();
    const { records } = await store.list('');
    expect(messages(without(records, 201))).toEqual(['event number 201 is missing']);
    expect(verify(records, { number: 3, hash: 'a'.repeat(64) }).problems[0]?.message).toContain('no longer kept');
    const again = await registryOf(store, { most: 100, keepMs: 1e12 });
    await note(again, 'later');
    expect((await again.verifyEvents()).ok).toBe(true);
    await again.close();
  });

  it('begins with the first event after an older store was opened', async () => {
    const { records } = await written(3);
    const store = await emptyStore();
    await store.commit(
      records.filter(isEvent).map(({ key, value }) => ({
        op: 'put' as const,
        key,
        value: JSON.parse(JSON.stringify({ ...(value as object), chain: undefined })) as StoredRecord['value'],
      })),
    );
    const registry = await registryOf(store);
    expect(await registry.verifyEvents()).toMatchObject({ ok: true, checked: 0, unsealed: 3 });
    await note(registry, 'the first with a hash');
    expect(await registry.verifyEvents()).toMatchObject({ ok: true, checked: 1, unsealed: 3 });
    expect((await registry.events({ limit: 9 })).map(({ message }) => message)[0]).toBe('the first with a hash');
    await registry.close();
  });

  it('is one, also where two control planes write at once', async () => {
    const store = await emptyStore();
    const [a, b] = [await registryOf(store), await registryOf(store)];
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) =>
        a.note({ action: 'route.create', subject: { kind: 'T', name: 't' }, message: `a ${n}` }, { actor: 'a' }),
      ).concat(
        Array.from({ length: 20 }, async (_, n) =>
          b.note({ action: 'route.delete', subject: { kind: 'T', name: 't' }, message: `b ${n}` }, { actor: 'b' }),
        ),
      ),
    );
    expect(await a.verifyEvents()).toMatchObject({ ok: true, checked: 40, head: { number: 40 } });
    await b.close();
    expect(await a.events({ limit: 100 })).toHaveLength(40);
    await a.close();
  });
});
