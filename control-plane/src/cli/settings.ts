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

function fromSettingsFile(): string | undefined {
  const file = resolve(environment['SWITCHBOARD_SETTINGS'] ?? 'switchboard.yaml');
  if (!existsSync(file)) return undefined;
  const settings = parse(readFileSync(file, 'utf8')) as { data?: string } | null;
  return settings?.data === undefined ? undefined : resolve(file, '..', settings.data);
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
