/**
 * The default store: one SQLite file in WAL mode with full synchronisation, so that an answered commit is on the disk. Other
 * processes may open the same file: their commits are found by polling `data_version`, which costs a few microseconds.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { SwitchboardError, messageOf } from '../../model/errors.ts';
import { checkChanges, lostRace } from '../check.ts';
import { createFeed } from '../feed.ts';
import type { Change, Commit, Json, Lease, Store, StoreDriver, StoredRecord } from '../store.ts';
import { checkFile } from './sqlite-check.ts';
import { migrate } from './sqlite-schema.ts';

const Options = z.strictObject({
  /** The file; `main` gives its place in the data folder. */
  path: z.string().min(1),
  /** How many commits `watch` can go back. */
  history: z.int().min(1).default(2_000),
});
type Options = z.infer<typeof Options>;

const FOREIGN_COMMIT_POLL_MS = 250;
const WATCH_BATCH = 500;

interface Row {
  key: string;
  value: string;
  revision: number;
  created: number;
}
interface LeaseRow {
  name: string;
  holder: string;
  token: number;
  expires_at: number;
}

const record = (row: Row): StoredRecord => ({
  key: row.key,
  value: JSON.parse(row.value) as Json,
  revision: row.revision,
  created: row.created,
});
const lease = (row: LeaseRow): Lease => ({
  name: row.name,
  holder: row.holder,
  token: row.token,
  expiresAt: row.expires_at,
});

/** SQLite's words for a full or read-only disk become an error with a remedy. */
function translated(error: unknown, path: string): unknown {
  const code = error instanceof Database.SqliteError ? error.code : '';
  if (code === 'SQLITE_FULL' || code.startsWith('SQLITE_IOERR'))
    return new SwitchboardError('unavailable', `cannot write to ${path}: ${messageOf(error)}`, {
      remedy: 'Free space on the disk that holds the data folder.',
      cause: error,
    });
  if (code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_CANTOPEN'))
    return new SwitchboardError('unavailable', `cannot write to ${path}: ${messageOf(error)}`, {
      remedy: 'Make the data folder writable, or name another with SWITCHBOARD_DATA.',
      cause: error,
    });
  if (code === 'SQLITE_CORRUPT' || code === 'SQLITE_NOTADB')
    return new SwitchboardError('corrupt', `${path} is damaged: ${messageOf(error)}`, {
      remedy: 'Restore a backup with `switchboard restore BACKUP`.',
      cause: error,
    });
  if (code.startsWith('SQLITE_BUSY'))
    return new SwitchboardError('unavailable', `${path} is held by another process: ${messageOf(error)}`, {
      cause: error,
    });
  return error;
}

function openDatabase(path: string): Database.Database {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    checkFile(path);
    const database = new Database(path, { timeout: 5000 });
    chmodSync(path, 0o600);
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    migrate(database);
    return database;
  } catch (error) {
    throw translated(error, path);
  }
}

function prepare(database: Database.Database) {
  return {
    get: database.prepare<[string], Row>('SELECT * FROM records WHERE key = ?'),
    // A range rather than LIKE: it uses the index, and no character is special. U+10FFFF sorts after all others.
    list: database.prepare<[string, string], Row>('SELECT * FROM records WHERE key >= ? AND key < ? ORDER BY key'),
    revisionOf: database.prepare<[string], { revision: number }>('SELECT revision FROM records WHERE key = ?'),
    put: database.prepare(
      'INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision',
    ),
    remove: database.prepare('DELETE FROM records WHERE key = ?'),
    counter: database.prepare<[string], { value: number }>('SELECT value FROM counters WHERE name = ?'),
    count: database.prepare<[string], { value: number }>(
      'UPDATE counters SET value = value + 1 WHERE name = ? RETURNING value',
    ),
    addCommit: database.prepare('INSERT INTO commits VALUES (?, ?)'),
    trim: database.prepare('DELETE FROM commits WHERE revision <= ?'),
    oldest: database.prepare<[], { revision: number | null }>('SELECT min(revision) AS revision FROM commits'),
    after: database.prepare<[number, number], { revision: number; changes: string }>(
      'SELECT * FROM commits WHERE revision > ? ORDER BY revision LIMIT ?',
    ),
    lease: database.prepare<[string], LeaseRow>('SELECT * FROM leases WHERE name = ?'),
    leases: database.prepare<[string, string], LeaseRow>(
      'SELECT * FROM leases WHERE name >= ? AND name < ? ORDER BY name',
    ),
    setLease: database.prepare(
      'INSERT INTO leases VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = excluded.token, expires_at = excluded.expires_at',
    ),
  };
}

const END = '\u{10FFFF}';

/** The databases behind open stores, for backups. */
const opened = new WeakMap<Store, Database.Database>();

export function databaseOf(store: Store): Database.Database | undefined {
  return opened.get(store);
}

export const sqliteStore: StoreDriver<Options> = {
  name: 'sqlite',
  options: Options,
  async create({ path, history: kept }, { now }): Promise<Store> {
    const database = openDatabase(path);
    const sql = prepare(database);
    const feed = createFeed();
    const version = database.prepare<[], number>('PRAGMA data_version').pluck();
    const dataVersion = (): number => Number(version.get());
    let seen = dataVersion();
    /** The last commit of our own. */
    let newest: Commit | undefined;
    const poll = setInterval(() => {
      const present = dataVersion();
      if (present === seen) return;
      seen = present;
      feed.announce();
    }, FOREIGN_COMMIT_POLL_MS);
    poll.unref();

    const guarded = <T>(work: () => T): T => {
      try {
        return work();
      } catch (error) {
        throw translated(error, path);
      }
    };

    const write = database.transaction(
      (
        changes: readonly Change[],
        texts: readonly string[],
        expect: readonly { key: string; revision: number }[],
        fence: { lease: string; token: number } | undefined,
      ): Commit => {
        const lost = expect
          .filter(({ key, revision }) => (sql.revisionOf.get(key)?.revision ?? 0) !== revision)
          .map(({ key }) => key);
        if (fence !== undefined) {
          const held = sql.lease.get(fence.lease);
          if (held?.token !== fence.token || held.expires_at <= now()) lost.push(fence.lease);
        }
        if (lost.length > 0) throw lostRace(lost);
        const revision = sql.count.get('revision')?.value ?? 0;
        const stored: string[] = [];
        for (const [index, change] of changes.entries()) {
          const text = texts[index] ?? '';
          const key = JSON.stringify(change.key);
          if (change.op === 'put') {
            sql.put.run(change.key, text, revision, revision);
            stored.push(`{"op":"put","key":${key},"value":${text}}`);
          } else {
            sql.remove.run(change.key);
            stored.push(`{"op":"delete","key":${key}}`);
          }
        }
        const text = `[${stored.join(',')}]`;
        sql.addCommit.run(revision, text);
        sql.trim.run(revision - kept);
        return { revision, changes: JSON.parse(text) as Change[] };
      },
    );

    const acquire = database.transaction((name: string, holder: string, ttlMs: number): Lease | undefined => {
      const old = sql.lease.get(name);
      const expired = old === undefined || old.expires_at <= now();
      if (!expired && old.holder !== holder) return undefined;
      const token = expired ? (sql.count.get('token')?.value ?? 0) : old.token;
      const expiresAt = now() + ttlMs;
      sql.setLease.run(name, holder, token, expiresAt);
      return { name, holder, token, expiresAt };
    });

    const setExpiry = database.transaction((name: string, token: number, expiresAt: number): Lease | undefined => {
      const old = sql.lease.get(name);
      if (old?.token !== token) return undefined;
      sql.setLease.run(name, old.holder, token, expiresAt);
      return { ...lease(old), expiresAt };
    });

    const store: Store = {
      async get(key) {
        const row = guarded(() => sql.get.get(key));
        return row === undefined ? undefined : record(row);
      },
      async list(prefix) {
        return guarded(() =>
          database.transaction(() => ({
            revision: sql.counter.get('revision')?.value ?? 0,
            records: sql.list.all(prefix, prefix + END).map(record),
          }))(),
        );
      },
      async commit(changes, { expect = [], fence } = {}) {
        const texts = checkChanges(changes);
        // Immediate: the write lock is taken before anything is read, so a check holds until its write.
        const commit = guarded(() => write.immediate(changes, texts, expect, fence));
        newest = commit;
        feed.announce();
        return commit;
      },
      watch(from, signal) {
        return feed.watch(from, signal, (after) => {
          // Who has kept up needs nothing from the file.
          if (newest?.revision === after + 1) return [newest];
          const oldest = sql.oldest.get()?.revision ?? (sql.counter.get('revision')?.value ?? 0) + 1;
          if (after + 1 < oldest) throw new SwitchboardError('compacted', `history before revision ${oldest} is gone`);
          return sql.after
            .all(after, WATCH_BATCH)
            .map((row) => ({ revision: row.revision, changes: JSON.parse(row.changes) as Change[] }));
        });
      },
      leases: {
        acquire: async (name, holder, ttlMs) => guarded(() => acquire.immediate(name, holder, ttlMs)),
        renew: async (name, token, ttlMs) => guarded(() => setExpiry.immediate(name, token, now() + ttlMs)),
        async release(name, token) {
          guarded(() => setExpiry.immediate(name, token, 0));
        },
        list: async (prefix) => guarded(() => sql.leases.all(prefix, prefix + END).map(lease)),
      },
      async close() {
        clearInterval(poll);
        feed.close();
        opened.delete(store);
        database.close();
      },
    };
    opened.set(store, database);
    return store;
  },
};
