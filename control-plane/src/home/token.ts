/** The admin token: made at the first start, kept in a file that only its owner can read. */
import { randomBytes, timingSafeEqual, createHash } from 'node:crypto';
import { chmodSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SwitchboardError } from '../model/errors.ts';

const SHORTEST = 20;

export function adminToken(folder: string): string {
  const file = join(folder, 'admin.token');
  // Made whole and then linked into place: a reader never sees half a token, and of two starters one wins.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `sb_${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  const token = readFileSync(file, 'utf8').trim();
  if (token.length < SHORTEST) {
    throw new SwitchboardError('corrupt', `the admin token in ${file} is too short`, {
      remedy: 'Delete the file: a new token is made at the next start.',
    });
  }
  return token;
}

/** Compares in constant time, whatever the lengths. */
export function sameToken(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
