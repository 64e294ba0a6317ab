/**
 * Where the control plane is, and who asks. Later wins: the data folder's runtime.json (written by a running control plane),
 * SWITCHBOARD_URL and SWITCHBOARD_TOKEN, then --url and --token. The CLI's only reader of the environment.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { SwitchboardError, messageOf } from '../model/errors.ts';

export interface GlobalOptions {
  readonly url?: string;
  readonly token?: string;
  readonly data?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export interface CliSettings {
  readonly url: string;
  /** Empty: none was found. */
  readonly token: string;
  readonly dataFolder: string;
  /** What a control plane that runs, or ran, in the data folder has written. */
  readonly running: { readonly apiUrl: string; readonly pid: number } | undefined;
  /** The settings file in use, if any. */
  readonly file: string | undefined;
  /** The configured ports, for the doctor. */
  readonly ports: Readonly<Record<'gateway' | 'api' | 'xds', { readonly host: string; readonly port: number }>>;
  readonly environment: Environment;
}

const PORTS = { gateway: 8800, api: 8801, xds: 8802 } as const;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readYaml(file: string | undefined): Record<string, unknown> {
  if (file === undefined) return {};
  try {
    const value: unknown = parse(readFileSync(file, 'utf8'));
    return isObject(value) ? value : {};
  } catch (cause) {
    throw new SwitchboardError('invalid', `cannot read the settings file ${file}: ${messageOf(cause)}`, { cause });
  }
}

function readRunning(dataFolder: string): CliSettings['running'] {
  try {
    const value: unknown = JSON.parse(readFileSync(join(dataFolder, 'runtime.json'), 'utf8'));
    if (isObject(value) && typeof value['apiUrl'] === 'string' && typeof value['pid'] === 'number')
      return { apiUrl: value['apiUrl'], pid: value['pid'] };
  } catch {
    // None has run here, or it is being written: the configured address is tried.
  }
  return undefined;
}

function readToken(dataFolder: string): string {
  try {
    return readFileSync(join(dataFolder, 'admin.token'), 'utf8').trim();
  } catch {
    return '';
  }
}

function isLoopback(url: string): boolean {
  try {
    const host = new URL(url).hostname;
    return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
  } catch {
    throw new SwitchboardError('invalid', `${url} is not a URL`, {
      remedy: 'Write it as http://127.0.0.1:8801.',
    });
  }
}

export function readSettings(
  options: GlobalOptions,
  environment: Environment = process.env,
  cwd = process.cwd(),
): CliSettings {
  const variable = (name: string): string | undefined => environment[name] || undefined;
  const candidate = resolve(cwd, variable('SWITCHBOARD_SETTINGS') ?? 'switchboard.yaml');
  const file = existsSync(candidate) ? candidate : undefined;
  const yaml = readYaml(file);
  const configured = typeof yaml['data'] === 'string' ? yaml['data'] : 'data';
  const dataFolder =
    options.data !== undefined
      ? resolve(cwd, options.data)
      : resolve(file === undefined ? cwd : dirname(file), variable('SWITCHBOARD_DATA') ?? configured);
  const running = readRunning(dataFolder);
  const place = (name: keyof typeof PORTS): { host: string; port: number } => {
    const section = isObject(yaml[name]) ? yaml[name] : {};
    const { host, port } = section;
    return {
      host: variable(`SWITCHBOARD_${name.toUpperCase()}_HOST`) ?? (typeof host === 'string' ? host : '127.0.0.1'),
      port: Number(
        variable(`SWITCHBOARD_${name.toUpperCase()}_PORT`) ?? (typeof port === 'number' ? port : PORTS[name]),
      ),
    };
  };
  const ports = { gateway: place('gateway'), api: place('api'), xds: place('xds') };
  const named = options.url ?? variable('SWITCHBOARD_URL');
  const url = (named ?? running?.apiUrl ?? `http://${ports.api.host}:${ports.api.port}`).replace(/\/+$/, '');
  // The local token is not for a server elsewhere.
  const local = isLoopback(url) || url === running?.apiUrl;
  const token = options.token ?? variable('SWITCHBOARD_TOKEN') ?? (local ? readToken(dataFolder) : '');
  return { url, token, dataFolder, running, file, ports, environment };
}
