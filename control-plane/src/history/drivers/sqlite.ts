/**
 * History in the store's own SQLite file, in tables of its own over a connection of its own. It is not synchronised at each commit: what it
 * has written survives kill -9, while a power cut may take the newest seconds, and no write of the registry waits for it.
 */
import Database from 'better-sqlite3';
import { LEVELS, ringPlace } from '../levels.ts';
import type { Batch, SeriesStore, StoredSeries } from '../series-store.ts';

/** One row for each place in a ring: the file can not grow past what the rings hold. */
const TABLES = `
  CREATE TABLE IF NOT EXISTS history_slots (
    id INTEGER PRIMARY KEY, metric TEXT NOT NULL, level INTEGER NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL);
  CREATE UNIQUE INDEX IF NOT EXISTS history_places ON history_slots (metric, level, place);
  CREATE TABLE IF NOT EXISTS history_series (id INTEGER PRIMARY KEY, labels TEXT NOT NULL, seen_at INTEGER NOT NULL);`;

export function sqliteSeries(path: string): SeriesStore {
  const database = new Database(path, { timeout: 5_000 });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.exec(TABLES);
  const put = database.prepare<[string, number, number, number, Uint8Array]>(
    `INSERT INTO history_slots (metric, level, place, at, data) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (metric, level, place) DO UPDATE SET at = excluded.at, data = excluded.data`,
  );
  const read = database.prepare<[string, number, number, number], { at: number; data: Uint8Array }>(
    'SELECT at, data FROM history_slots WHERE metric = ? AND level = ? AND at >= ? AND at < ? ORDER BY at',
  );
  const putSeries = database.prepare<[number, string, number]>(
    `INSERT INTO history_series VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at`,
  );
  const forgetSeries = database.prepare<[number]>('DELETE FROM history_series WHERE id = ?');
  const allSeries = database.prepare<[], StoredSeries>('SELECT id, labels, seen_at AS seenAt FROM history_series');
  const write = database.transaction(({ slots, series, forget }: Batch) => {
    for (const { level, metric, at, data } of slots) {
      const definition = LEVELS[level];
      if (definition !== undefined) put.run(metric, level, ringPlace(at, definition), at, data);
    }
    for (const { id, labels, seenAt } of series) putSeries.run(id, labels, seenAt);
    for (const id of forget) forgetSeries.run(id);
  });
  return {
    write(batch) {
      write.immediate(batch);
    },
    read: (level, metric, from, to) => read.all(metric, level, from, to),
    series: () => allSeries.all(),
    close() {
      database.close();
    },
  };
}
