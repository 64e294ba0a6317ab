/** Texts as one .tar.gz, and a file that appears whole or not at all. */
import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { SwitchboardError, messageOf } from '../../model/errors.ts';

export interface Entry {
  readonly name: string;
  readonly text: string;
}

/** All below one folder, so that unpacking scatters nothing. */
export async function archive(folder: string, entries: readonly Entry[], at: Date): Promise<Buffer> {
  const tar = pack();
  const whole = buffer(tar.pipe(createGzip()));
  for (const { name, text } of entries) tar.entry({ name: `${folder}/${name}`, mode: 0o600, mtime: at }, text);
  tar.finalize();
  return whole;
}

/** Only the owner can read it. Error: `conflict` when the file is there and `force` is not given. */
export function writeWhole(file: string, content: Buffer, force: boolean): void {
  const draft = `${file}.${process.pid}.part`;
  try {
    writeFileSync(draft, content, { mode: 0o600, flag: 'wx', flush: true });
    if (force) renameSync(draft, file);
    else linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new SwitchboardError('conflict', `${file} is there already`, {
        remedy: 'Name another file, or overwrite it with --force.',
      });
    throw new SwitchboardError('unavailable', `cannot write ${file}: ${messageOf(error)}`);
  } finally {
    rmSync(draft, { force: true });
  }
}
