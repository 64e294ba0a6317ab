/** Where the control plane is: flags, then SWITCHBOARD_URL and SWITCHBOARD_TOKEN, then what it wrote into the data folder. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { createClient, type ApiClient } from '../api/client.ts';
import { SwitchboardError } from '../model/errors.ts';

export const environment: Readonly<Record<string, string | undefined>> = process.env;

export interface GlobalFlags {
  url?: string;
  token?: string;
  data?: string;
}

interface SettingsFile {
  data?: string;
  gateway?: { host?: string; port?: number };
  api?: { host?: string; port?: number };
  xds?: { host?: string; port?: number };
}

function settingsFile(): { path: string; settings: SettingsFile } | undefined {
  const path = resolve(environment['SWITCHBOARD_SETTINGS'] ?? 'switchboard.yaml');
  if (!existsSync(path)) return undefined;
  return { path, settings: (parse(readFileSync(path, 'utf8')) as SettingsFile | null) ?? {} };
}

function fromSettingsFile(): string | undefined {
  const found = settingsFile();
  return found?.settings.data === undefined ? undefined : resolve(found.path, '..', found.settings.data);
}

const DEFAULT_PORTS = { gateway: 8800, api: 8801, xds: 8802 } as const;

/** What a control plane that is started here would listen on. */
export function configuredPorts(): { name: string; host: string; port: number; variable: string }[] {
  const settings = settingsFile()?.settings ?? {};
  return (['gateway', 'api', 'xds'] as const).map((name) => {
    const prefix = `SWITCHBOARD_${name.toUpperCase()}`;
    return {
      name,
      host: environment[`${prefix}_HOST`] ?? settings[name]?.host ?? '127.0.0.1',
      port: Number(environment[`${prefix}_PORT`] ?? settings[name]?.port ?? DEFAULT_PORTS[name]),
      variable: `${prefix}_PORT`,
    };
  });
}

/** The data folder: the one named, else ./data, else that of the checkout which this program belongs to. */
export function dataFolder(flags: GlobalFlags): string {
  const named = flags.data ?? environment['SWITCHBOARD_DATA'] ?? fromSettingsFile();
  if (named !== undefined) return resolve(named);
  const here = resolve('data');
  const checkout = environment['SWITCHBOARD_REPOSITORY'];
  return existsSync(here) || checkout === undefined ? here : join(checkout, 'data');
}

function readIn(folder: string, name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return undefined;
  }
}

const LOCAL = /^https?:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?(\/|$)/;

export function connect(flags: GlobalFlags): ApiClient {
  const folder = dataFolder(flags);
  const runtime = readIn(folder, 'runtime.json');
  const known = runtime === undefined ? undefined : (JSON.parse(runtime) as { apiUrl: string }).apiUrl;
  const url = flags.url ?? environment['SWITCHBOARD_URL'] ?? known;
  if (url === undefined) {
    throw new SwitchboardError('unavailable', `no control plane runs with the data folder ${folder}`, {
      remedy: 'Start one with `npm start`, or name it with --url and --token, or --data.',
    });
  }
  // This machine's own token is for this machine's control plane: it is never sent elsewhere.
  const own = url === known || LOCAL.test(url) ? readIn(folder, 'admin.token')?.trim() : undefined;
  const token = flags.token ?? environment['SWITCHBOARD_TOKEN'] ?? own;
  if (token === undefined)
    throw new SwitchboardError('unauthenticated', `there is no token for ${url}`, {
      remedy: 'Name it with --token or SWITCHBOARD_TOKEN.',
    });
  return createClient({ url, token });
}
