/** What is checked before a database file is opened for writing: it is ours, whole, and not from a newer version. Only reads. */
import { existsSync, rmSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { SwitchboardError, messageOf } from '../../model/errors.ts';
import { APPLICATION_ID, MIGRATIONS } from './sqlite-schema.ts';

const REMEDY =
  'The file was left as it is. Restore a backup with `switchboard restore BACKUP`, or move the file away to begin anew.';

/** Error: `corrupt`. A file that does not exist, or is empty, is fine: it will be made. */
export function checkFile(path: string): void {
  if (!existsSync(path) || statSync(path).size === 0) return;
  // Reading a file in WAL mode makes two empty files beside it, which are taken away again.
  const beside = ['-wal', '-shm'].map((suffix) => path + suffix).filter((file) => !existsSync(file));
  let database: Database.Database | undefined;
  try {
    database = new Database(path, { readonly: true, fileMustExist: true });
    const application = Number(database.pragma('application_id', { simple: true }));
    const version = Number(database.pragma('user_version', { simple: true }));
    if (application !== APPLICATION_ID)
      throw new SwitchboardError('corrupt', `${path} is a database of another program`, { remedy: REMEDY });
    if (version > MIGRATIONS.length) {
      throw new SwitchboardError(
        'corrupt',
        `${path} was written by a newer version of Switchboard (schema ${version}, this one knows ${MIGRATIONS.length})`,
        {
          remedy: 'Run the newer version. The file was left as it is.',
        },
      );
    }
    const problems = (database.pragma('quick_check(5)') as { quick_check: string }[])
      .map((row) => row.quick_check)
      .filter((text) => text !== 'ok');
    if (problems.length > 0)
      throw new SwitchboardError('corrupt', `${path} is damaged: ${problems.join('; ')}`, { remedy: REMEDY });
  } catch (cause) {
    if (cause instanceof SwitchboardError) throw cause;
    throw new SwitchboardError('corrupt', `${path} can not be read as a database: ${messageOf(cause)}`, {
      remedy: REMEDY,
      cause,
    });
  } finally {
    database?.close();
    for (const file of beside) rmSync(file, { force: true });
  }
}
