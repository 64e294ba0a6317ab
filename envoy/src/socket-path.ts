/** A unix socket's path has about 100 bytes. Where the data folder's is longer, the socket lies in a private folder for temporary files. */
import { createHash } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LONGEST = 100;

/** What Envoy appends to the name of its sockets for a handover. */
const HANDOVER_SUFFIX = '-stand-in_udp_parent_2000000000'.length;

function inFolder(folder: string, name: string, more = 0): string {
  const direct = join(folder, name);
  if (Buffer.byteLength(direct) + more <= LONGEST) return direct;
  const user = process.getuid?.() ?? 0;
  const short = join(tmpdir(), `switchboard-${user}-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`);
  mkdirSync(short, { recursive: true, mode: 0o700 });
  const { uid, mode } = statSync(short);
  // Somebody else may have made it first, to listen in.
  if (uid !== user || (mode & 0o077) !== 0) throw new Error(`${short} must belong to user ${user} and be private`);
  return join(short, name);
}

export const adminSocketPath = (folder: string): string => inFolder(folder, 'admin.sock');

/** Of the sockets by which one Envoy hands over to the next. */
export const handoverSocketPath = (folder: string): string => inFolder(folder, 'hot', HANDOVER_SUFFIX);
