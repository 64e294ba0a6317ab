/** Where the installed Envoy lies: one folder for each version, shared by all checkouts of a user. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ENVOY_VERSION } from './version.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export function cacheFolder(environment: Environment): string {
  const set = (name: string): string | undefined => (environment[name] === '' ? undefined : environment[name]);
  const home = homedir();
  const usual =
    process.platform === 'darwin'
      ? join(home, 'Library', 'Caches')
      : process.platform === 'win32'
        ? (set('LOCALAPPDATA') ?? home)
        : join(home, '.cache');
  const base = set('SWITCHBOARD_CACHE') ?? set('XDG_CACHE_HOME') ?? usual;
  return join(base, 'switchboard', 'envoy');
}

export function installedPath(environment: Environment): string {
  return join(cacheFolder(environment), ENVOY_VERSION, process.platform === 'win32' ? 'envoy.exe' : 'envoy');
}
