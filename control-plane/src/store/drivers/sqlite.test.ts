import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  openSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, describe, expect, it } from 'vitest';
import { isError } from '../../model/errors.ts';
import { backupStore, restoreStore } from '../backup.ts';
import { storeConformance } from '../conformance.ts';
import type { Store } from '../store.ts';
import { MIGRATIONS } from './sqlite-schema.ts';
import { sqliteStore } from './sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'sb store '));
let count = 0;
let newest = '';
function newPath(): string {
  count += 1;
  newest = join(folder, `s ${count}`, 'switchboard.db');
  return newest;
}
const context = { now: () => Date.now() };
const open = async (path: string, options: { history?: number } = {}): Promise<Store> =>
  sqliteStore.create(sqliteStore.options.parse({ path, ...options }), context);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

storeConformance('sqlite', {
  open: async (ctx, options) => sqliteStore.create(sqliteStore.options.parse({ path: newPath(), ...options }), ctx),
  reopen: async (ctx) => sqliteStore.create(sqliteStore.options.parse({ path: newest }), ctx),
});

async function filled(rows = 300): Promise<string> {
  const path = newPath();
  const store = await open(path);
  for (let n = 0; n < rows; n += 1) await store.commit([{ op: 'put', key: `k/${n}`, value: 'x'.repeat(200) }]);
  await store.close();
  return path;
}

const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

async function refusal(path: string): Promise<string> {
  const before = hashOf(path);
  const beside = readdirSync(join(path, '..')).sort();
  try {
    await open(path);
  } catch (error) {
    expect(hashOf(path)).toBe(before);
    expect(readdirSync(join(path, '..')).sort()).toEqual(beside);
    if (!isError(error, 'corrupt')) throw error;
    return `${error.message} ${error.remedy ?? ''}`;
  }
  throw new Error('it was opened');
}

describe('a SQLite file', () => {
  it('is private', async () => {
    const path = await filled(1);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  });

  it('of a newer version is refused and left untouched', async () => {
    const path = await filled(1);
    const database = new Database(path);
    database.pragma('journal_mode = DELETE');
    database.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    database.close();
    expect(await refusal(path)).toContain('newer version');
  });

  it('of another program is refused and left untouched', async () => {
    const path = await filled(1);
    rmSync(path);
    const database = new Database(path);
    database.exec('CREATE TABLE other (a)');
    database.close();
    expect(await refusal(path)).toContain('another program');
  });

  it.each([
    [
      'cut short',
      (path: string): void => {
        truncateSync(path, Math.floor(statSync(path).size / 2 / 4096) * 4096 - 100);
      },
    ],
    [
      'no database at all',
      (path: string): void => {
        writeFileSync(path, 'this is not a database, it only pretends to be one'.repeat(200));
      },
    ],
    [
      'with a page overwritten',
      (path: string): void => {
        const file = openSync(path, 'r+');
        writeSync(file, Buffer.alloc(4096, 0xff), 0, 4096, 4096 * 3);
        closeSync(file);
      },
    ],
  ])('that is %s is refused and left untouched', async (_, damage) => {
    const path = await filled();
    damage(path);
    expect(await refusal(path)).toMatch(/Restore a backup/);
  });

  it('that is full refuses the write with a remedy and keeps what it has', async () => {
    const path = await filled(20);
    const store = await open(path);
    const { databaseOf } = await import('./sqlite.ts');
    const database = databaseOf(store);
    database?.pragma(`max_page_count = ${Number(database.pragma('page_count', { simple: true }))}`);
    let failure: unknown;
    for (let n = 0; n < 200 && failure === undefined; n += 1) {
      await store
        .commit([
          { op: 'put', key: `more/${n}`, value: 'y'.repeat(4000) },
          { op: 'put', key: `pair/${n}`, value: n },
        ])
        .catch((error: unknown) => {
          failure = error;
        });
    }
    expect(isError(failure, 'unavailable') ? failure.remedy : failure).toContain('Free space');
    const more = (await store.list('more/')).records.length;
    expect((await store.list('pair/')).records).toHaveLength(more);
    expect((await store.list('k/')).records).toHaveLength(20);
    await store.close();
  });

  it('in a place that can not be written is refused with a remedy', async () => {
    const file = join(folder, 'not-a-folder');
    writeFileSync(file, '');
    await expect(open(join(file, 'switchboard.db'))).rejects.toThrow();
  });
});

describe('backup and restore', () => {
  it('copies a store while it is written, and puts it back', async () => {
    const path = newPath();
    const store = await open(path);
    await store.commit([{ op: 'put', key: 'a', value: 'before' }]);
    const target = join(folder, 'backup.db');
    const writing = (async () => {
      for (let n = 0; n < 200; n += 1) await store.commit([{ op: 'put', key: `w/${n}`, value: n }]);
    })();
    await backupStore(store, target);
    await writing;
    await store.commit([{ op: 'put', key: 'a', value: 'after' }]);
    await expect(backupStore(store, target)).rejects.toThrow('exists already');
    await store.close();

    const { kept } = restoreStore(target, path, () => 0);
    const restored = await open(path);
    expect((await restored.get('a'))?.value).toBe('before');
    await restored.close();
    expect(existsSync(kept ?? '')).toBe(true);
  });

  it('refuses a damaged backup and changes nothing', async () => {
    const path = await filled(5);
    const bad = join(folder, 'bad.db');
    writeFileSync(bad, 'nonsense'.repeat(1000));
    const before = hashOf(path);
    expect(() => restoreStore(bad, path, () => 0)).toThrow(/can not be read as a database|another program/);
    expect(hashOf(path)).toBe(before);
  });
});
