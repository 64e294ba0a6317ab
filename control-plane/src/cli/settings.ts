/** Where the control plane is: flags, then the environment, then a context, then what it wrote into the data folder. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { ListenHost } from '../model/listen-host.ts';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import { contextNamed, contextsFile, readContexts, tokenOf, type ContextEntry } from './contexts.ts';

export const environment: Readonly<Record<string, string | undefined>> = process.env;

export interface GlobalFlags {
  url?: string;
  token?: string;
  data?: string;
  context?: string;
}

interface SettingsFile {
  data?: string;
  gateway?: { host?: string; port?: number };
  api?: { host?: string; port?: number };
  xds?: { host?: string; port?: number };
}

/** Of the settings that a control plane started here would read; undefined: there are none. */
export function settingsPath(): string | undefined {
  const path = resolve(environment['SWITCHBOARD_SETTINGS'] ?? 'switchboard.yaml');
  return existsSync(path) ? path : undefined;
}

function settingsFile(): { path: string; settings: SettingsFile } | undefined {
  const path = settingsPath();
  if (path === undefined) return undefined;
  try {
    return { path, settings: (parse(readFileSync(path, 'utf8')) as SettingsFile | null) ?? {} };
  } catch (cause) {
    throw new SwitchboardError('invalid', `the settings file ${path} can not be read: ${messageOf(cause)}`, { cause });
  }
}

function fromSettingsFile(): string | undefined {
  const found = settingsFile();
  return found?.settings.data === undefined ? undefined : resolve(found.path, '..', found.settings.data);
}

const DEFAULT_PORTS = { gateway: 8800, api: 8801, xds: 8802 } as const;

/** As a control plane reads it; what it would refuse stays, and is then told not to be free. */
const listenHost = (text: string): string => ListenHost.safeParse(text).data ?? text;

/** What a control plane that is started here would listen on. */
export function configuredPorts(): { name: string; host: string; port: number; variable: string }[] {
  const settings = settingsFile()?.settings ?? {};
  return (['gateway', 'api', 'xds'] as const).map((name) => {
    const prefix = `SWITCHBOARD_${name.toUpperCase()}`;
    return {
      name,
      host: listenHost(environment[`${prefix}_HOST`] ?? settings[name]?.host ?? '127.0.0.1'),
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

export function isThisMachine(url: string): boolean {
  return LOCAL.test(url);
}

/** This machine's own token. Undefined: none was made here yet. Error: `unauthenticated` when it is there and of no use. */
function ownToken(folder: string): string | undefined {
  const file = join(folder, 'admin.token');
  if (!existsSync(file)) return undefined;
  const refuse = (why: string): never => {
    throw new SwitchboardError('unauthenticated', `the token in ${file} ${why}`, {
      remedy: 'Be the user that runs the control plane, or name a token with --token or SWITCHBOARD_TOKEN.',
    });
  };
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    return refuse(`can not be read: ${messageOf(error)}`);
  }
  return text === '' ? refuse('is empty') : text;
}

function checkedUrl(url: string, by: string): string {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new SwitchboardError('invalid', `${by} must be an http or https address, not ${url}`);
  return url;
}

/** It becomes a header; what can not be one is never repeated in an error. */
function checkedToken(token: string): string {
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new SwitchboardError('invalid', 'the token holds characters that no token has, such as spaces or line ends');
  return token;
}

/** The control plane that a command speaks to. */
export interface Target {
  readonly url: string;
  readonly token: string;
  readonly context: string | undefined;
  /** What named it, such as `--url` or `the data folder /srv/data`. */
  readonly by: string;
  /** True if it runs on this machine. */
  readonly local: boolean;
}

/** The context that is to be used, with what names it; undefined: an address or a data folder goes before, or there is none. */
function usedContext(
  flags: GlobalFlags,
  current: boolean,
): { name: string; entry: ContextEntry; by: string } | undefined {
  const file = contextsFile(environment);
  const named = (name: string, by: string): ReturnType<typeof usedContext> => ({
    name,
    entry: contextNamed(file, readContexts(file), name),
    by,
  });
  if (flags.context !== undefined) return named(flags.context, '--context');
  if ((flags.url ?? flags.data ?? environment['SWITCHBOARD_URL']) !== undefined) return undefined;
  const variable = environment['SWITCHBOARD_CONTEXT'];
  if (variable !== undefined) return named(variable, 'SWITCHBOARD_CONTEXT');
  if (environment['SWITCHBOARD_DATA'] !== undefined || !current) return undefined;
  const chosen = readContexts(file).current;
  return chosen === undefined ? undefined : named(chosen, `the current context in ${file}`);
}

/**
 * Flags go before the environment, the environment before the current context, that before the local data folder. `current` false: whatever
 * the current context is, since the command is about this machine. Errors: `unavailable`, `unauthenticated`, and those of contexts.
 */
export function target(flags: GlobalFlags, { current = true }: { current?: boolean } = {}): Target {
  const other = (['url', 'data'] as const).find((name) => flags[name] !== undefined);
  if (flags.context !== undefined && other !== undefined)
    throw new SwitchboardError('invalid', `--context and --${other} name two installations: give one of them`);
  const variable = environment['SWITCHBOARD_TOKEN'];
  const context = usedContext(flags, current);
  if (context !== undefined) {
    const { name, entry, by } = context;
    const given = flags.token ?? (flags.context === undefined ? variable : undefined);
    const token = given ?? tokenOf(name, entry, environment);
    return { url: entry.url, token: checkedToken(token), context: name, by, local: isThisMachine(entry.url) };
  }
  const folder = dataFolder(flags);
  const runtime = readIn(folder, 'runtime.json');
  const known = runtime === undefined ? undefined : (JSON.parse(runtime) as { apiUrl: string }).apiUrl;
  const named = flags.url ?? (flags.data === undefined ? environment['SWITCHBOARD_URL'] : undefined);
  const url = named ?? known;
  if (url === undefined) {
    throw new SwitchboardError('unavailable', `no control plane runs with the data folder ${folder}`, {
      remedy: 'Start one with `npm start`, or name it with --url and --token, --context, or --data.',
    });
  }
  const by = flags.url !== undefined ? '--url' : named !== undefined ? 'SWITCHBOARD_URL' : `the data folder ${folder}`;
  checkedUrl(url, by);
  // This machine's own token is for this machine's control plane: it is never sent elsewhere.
  const local = url === known || isThisMachine(url);
  const token = flags.token ?? variable ?? (local ? ownToken(folder) : undefined);
  if (token === undefined)
    throw new SwitchboardError('unauthenticated', `there is no token for ${url}`, {
      remedy: 'Name it with --token or SWITCHBOARD_TOKEN, or keep it in a context: `switchboard context add`.',
    });
  return { url, token: checkedToken(token), context: undefined, by, local };
}
