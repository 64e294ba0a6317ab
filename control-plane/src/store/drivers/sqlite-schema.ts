/**
 * The database's shape: an explicit list of migrations; `user_version` counts those that have run. Never change one that was
 * released: add the next.
 */
import type Database from 'better-sqlite3';

/** "SwBd": tells a Switchboard file from any other SQLite file. */
export const APPLICATION_ID = 0x53774264;

export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE records (key TEXT PRIMARY KEY COLLATE BINARY, value TEXT NOT NULL, revision INTEGER NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE commits (revision INTEGER PRIMARY KEY, changes TEXT NOT NULL);
   CREATE TABLE leases (name TEXT PRIMARY KEY COLLATE BINARY, holder TEXT NOT NULL, token INTEGER NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
   INSERT INTO counters VALUES ('revision', 0), ('token', 0);`,
];

export function migrate(database: Database.Database): void {
  const from = Number(database.pragma('user_version', { simple: true }));
  if (from >= MIGRATIONS.length) return;
  database.transaction(() => {
    for (const step of MIGRATIONS.slice(from)) database.exec(step);
    database.pragma(`user_version = ${MIGRATIONS.length}`);
    database.pragma(`application_id = ${APPLICATION_ID}`);
  })();
}
