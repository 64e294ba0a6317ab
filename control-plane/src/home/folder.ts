/**
 * The data folder: made private, checked writable, and held by one control plane at a time. The lock is a file with the
 * holder's pid and start time, made by an atomic link, so that a lock left behind by `kill -9` is recognised and taken over.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import type { ProcessIdentity } from '../model/instance.ts';

export interface FolderLock {
  release(): void;
}

/** Error: `unavailable` when it can't be made or written. */
export function prepareFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (!statSync(path).isDirectory()) throw new Error('it is not a folder');
    const probe = join(path, `.write-${process.pid}`);
    writeFileSync(probe, 'x', { mode: 0o600 });
    rmSync(probe);
  } catch (cause) {
    throw new SwitchboardError('unavailable', `cannot write to the data folder ${path}: ${messageOf(cause)}`, {
      remedy: 'Free space there, change its permissions, or name another folder with SWITCHBOARD_DATA.',
      cause,
    });
  }
}

function readLock(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/**
 * Error: `unavailable` when another live control plane holds the folder. `isAlive` tells whether that very process still
 * runs (pids are used again); `self` is our own identity.
 */
export function lockFolder(
  path: string,
  self: ProcessIdentity,
  isAlive: (process: ProcessIdentity) => boolean,
): FolderLock {
  const file = join(path, 'control-plane.lock');
  const own = `${file}.${self.pid}`;
  writeFileSync(own, JSON.stringify(self), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      try {
        linkSync(own, file);
        return {
          release: () => {
            if (readLock(file)?.startTime === self.startTime) rmSync(file, { force: true });
          },
        };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = readLock(file);
      if (holder !== undefined && isAlive(holder)) {
        throw new SwitchboardError(
          'unavailable',
          `another control plane (process ${holder.pid}) uses the data folder ${path}`,
          {
            remedy: 'Stop it with `switchboard down`, or name another folder with SWITCHBOARD_DATA.',
          },
        );
      }
      rmSync(file, { force: true });
    }
    throw new SwitchboardError('unavailable', `cannot take the lock ${file}: others take it at the same time`);
  } finally {
    unlinkSync(own);
  }
}
