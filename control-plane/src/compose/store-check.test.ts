import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { databaseOf, sqliteStore } from '../store/drivers/sqlite.ts';
import type { Lease } from '../store/store.ts';
import { createStoreCheck } from './store-check.ts';

const folder = mkdtempSync(join(tmpdir(), 'sb-store-check-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

it('tells that a store takes no more writes, which reads say nothing of, and that it takes them again', async () => {
  const store = await sqliteStore.create(sqliteStore.options.parse({ path: join(folder, 'switchboard.db') }), {
    now: () => Date.now(),
  });
  let now = 0;
  const check = createStoreCheck({ store, revision: () => 42, now: () => now });
  expect(await check()).toEqual({ name: 'store', ok: true, message: 'takes writes; revision 42' });
  const database = databaseOf(store);
  database?.pragma('query_only = 1');
  expect(await store.list('')).toBeDefined();
  // What was so a moment ago is believed.
  now = 4_999;
  expect(await check()).toMatchObject({ ok: true });
  now = 5_000;
  expect(await check()).toMatchObject({
    ok: false,
    message: expect.stringContaining('takes no writes: cannot write to') as string,
  });
  database?.pragma('query_only = 0');
  expect(await check()).toMatchObject({ ok: false });
  now = 6_000;
  expect(await check()).toMatchObject({ ok: true });
  await store.close();
});

it('writes once for all who ask at a time, and waits for no store that hangs', async () => {
  let asked = 0;
  let now = 0;
  const acquire = async (): Promise<Lease | undefined> => {
    asked += 1;
    return new Promise(() => undefined);
  };
  const store = { leases: { acquire } } as unknown as Parameters<typeof createStoreCheck>[0]['store'];
  const check = createStoreCheck({ store, revision: () => 1, now: () => now, longestWriteMs: 20 });
  const answers = await Promise.all([check(), check(), check()]);
  expect(answers.map(({ ok, message }) => [ok, message])).toEqual(
    Array.from({ length: 3 }, () => [false, 'takes no writes: does not answer within 20 ms']),
  );
  expect(asked).toBe(1);
  now = 1_000;
  await check();
  expect(asked).toBe(2);
});
