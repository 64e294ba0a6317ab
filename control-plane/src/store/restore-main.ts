/** `node restore-main.ts BACKUP TARGET`: puts a backup in the store's place; run by `switchboard restore` while nothing uses it. */
import { isError, messageOf } from '../model/errors.ts';
import { restoreStore } from './backup.ts';

const [backup = '', target = ''] = process.argv.slice(2);
try {
  const { kept } = restoreStore(backup, target, () => Date.now());
  process.stdout.write(`restored ${backup}${kept === undefined ? '' : `; what was there is kept as ${kept}`}\n`);
} catch (error) {
  process.stderr.write(`error: ${messageOf(error)}\n`);
  if (isError(error) && error.remedy !== undefined) process.stderr.write(`  remedy: ${error.remedy}\n`);
  process.exitCode = 1;
}
