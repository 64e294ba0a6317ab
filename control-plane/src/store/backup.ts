/** Online backup of the SQLite store, and its restore. A backup is a whole database file that was checked after it was made. */
import { existsSync, renameSync, rmSync, copyFileSync, chmodSync } from 'node:fs';
import Database from 'better-sqlite3';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import { checkFile } from './drivers/sqlite-check.ts';
import { databaseOf } from './drivers/sqlite.ts';
import type { Store } from './store.ts';

/** Copies the store to `target` while it is in use. Errors: `unsupported` for another store, `conflict` when the target exists. */
export async function backupStore(store: Store, target: string): Promise<void> {
  const database = databaseOf(store);
  if (database === undefined)
    throw new SwitchboardError('unsupported', 'this store has no backup: it is not a SQLite store');
  if (existsSync(target)) throw new SwitchboardError('conflict', `${target} exists already`);
  try {
    await database.backup(target);
    chmodSync(target, 0o600);
    // A backup must stand alone: one file, no write-ahead log beside it.
    const copy = new Database(target);
    copy.pragma('journal_mode = DELETE');
    copy.close();
    checkFile(target);
  } catch (cause) {
    rmSync(target, { force: true });
    throw new SwitchboardError('unavailable', `the backup to ${target} failed: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Puts a backup in the store's place, which must not be in use; what was there is kept beside it under the returned name.
 * Errors: `not_found`, `corrupt` (the backup; nothing was changed), `unavailable` (the store is in use).
 */
export function restoreStore(backup: string, target: string, now: () => number): { kept: string | undefined } {
  if (!existsSync(backup)) throw new SwitchboardError('not_found', `there is no backup ${backup}`);
  checkFile(backup);
  const fresh = `${target}.restoring`;
  rmSync(fresh, { force: true });
  copyFileSync(backup, fresh);
  chmodSync(fresh, 0o600);
  if (!existsSync(target)) {
    renameSync(fresh, target);
    return { kept: undefined };
  }
  const kept = `${target}.before-restore-${new Date(now()).toISOString().replace(/[:.]/g, '-')}`;
  for (const suffix of ['-wal', '-shm', ''])
    if (existsSync(target + suffix)) renameSync(target + suffix, kept + suffix);
  renameSync(fresh, target);
  return { kept };
}
