/** A unix socket's path has about 100 bytes. Where the data folder's is longer, the socket lies in a private folder for temporary files. */
import { createHash } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LONGEST = 100;

export function adminSocketPath(folder: string): string {
  const direct = join(folder, 'admin.sock');
  if (Buffer.byteLength(direct) <= LONGEST) return direct;
  const user = process.getuid?.() ?? 0;
  const short = join(tmpdir(), `switchboard-${user}-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`);
  mkdirSync(short, { recursive: true, mode: 0o700 });
  const { uid, mode } = statSync(short);
  // Somebody else may have made it first, to listen in.
  if (uid !== user || (mode & 0o077) !== 0) throw new Error(`${short} must belong to user ${user} and be private`);
  return join(short, 'admin.sock');
}
