/** Secrets of this control plane: made at the first start, each kept in a file that only its owner can read. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SwitchboardError } from '../model/errors.ts';

const SHORTEST = 20;

function secret(folder: string, name: string, make: () => string): string {
  const file = join(folder, name);
  // Made whole and then linked into place: a reader never sees half a token, and of two starters one wins.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${make()}\n`, { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  const text = readFileSync(file, 'utf8').trim();
  if (text.length < SHORTEST) {
    throw new SwitchboardError('corrupt', `the secret in ${file} is too short`, {
      remedy: 'Delete the file: a new one is made at the next start.',
    });
  }
  return text;
}

export function adminToken(folder: string): string {
  return secret(folder, 'admin.token', () => `sb_${randomBytes(24).toString('base64url')}`);
}

/** Tokens by which clients come back to an instance. They live as long as the secret: over restarts of everything. */
export function instanceTokens(folder: string): (instance: string) => string {
  const key = secret(folder, 'affinity.key', () => randomBytes(32).toString('base64url'));
  return (instance) => createHmac('sha256', key).update(instance).digest().subarray(0, 16).toString('base64url');
}

/** Compares in constant time, whatever the lengths. */
export function sameToken(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
