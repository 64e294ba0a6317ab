/**
 * Makes a checkout ready: dependencies from the lockfile, Node 24, Envoy, the console. Runs on any Node from 18, needs nothing, and costs next to
 * nothing when all is there. Several at once are safe: one works, the others wait.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, delimiter, dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const modules = join(repository, 'node_modules');
export const node24 = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const WORKSPACES = ['.', 'proto', 'envoy', 'control-plane', 'console'];
const LOCK_STALE_MS = 10 * 60_000;

/** What is being done, and since when. @type {Map<string, number>} */
const doing = new Map();
const seconds = (/** @type {number} */ since) => `${Math.round((Date.now() - since) / 1000)} s`;
/** @type {NodeJS.Timeout | undefined} */
let ticking;
const BEAT_MS = 1_000;
/** Without a terminal nothing can be written over. */
const LINE_MS = 30_000;
const SIGNS = ['|', '/', '-', '\\'];
let beats = 0;

function clearLine() {
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
}

/** @param {string} line */
function say(line) {
  clearLine();
  process.stderr.write(`switchboard: ${line}\n`);
}

function beat() {
  const all = [...doing].map(([what, since]) => `${what}, ${seconds(since)}`).join('; ');
  if (!process.stderr.isTTY) {
    say(`still ${all}`);
    return;
  }
  // What does not fit would go on in a line that is not cleared.
  const line = `${SIGNS[beats++ % SIGNS.length]} ${all}`.slice(0, (process.stderr.columns || 80) - 1);
  process.stderr.write(`\r\u001b[K${line}`);
}

/**
 * Says what is done while it is, and that it goes on: on a terminal each second in one line, else now and then.
 * @template T @param {string} what @param {Promise<T>} work @returns {Promise<T>}
 */
async function telling(what, work) {
  doing.set(what, Date.now());
  ticking ??= setInterval(beat, process.stderr.isTTY ? BEAT_MS : LINE_MS);
  try {
    return await work;
  } finally {
    doing.delete(what);
    clearLine();
    if (doing.size === 0) {
      clearInterval(ticking);
      ticking = undefined;
    }
  }
}

export class SetupError extends Error {}

/** @param {readonly string[]} files */
function hashOf(files) {
  const digest = createHash('sha256');
  for (const file of files)
    digest
      .update(file)
      .update('\0')
      .update(readFileSync(join(repository, file)))
      .update('\0');
  return digest.digest('hex');
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Runs a program; its output is shown only when it fails.
 * @param {string} what for the error @param {string} program @param {readonly string[]} args @param {import('node:child_process').SpawnOptions} options
 */
async function run(what, program, args, options = {}) {
  const child = spawn(program, args, { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let output = '';
  child.stdout?.on('data', (part) => (output += part));
  child.stderr?.on('data', (part) => (output += part));
  const code = await new Promise((done) => {
    child.once('error', (error) => {
      output += error.message;
      done(-1);
    });
    child.once('close', done);
  });
  if (code !== 0) throw new SetupError(`${what} failed:\n${output.trim().split('\n').slice(-25).join('\n')}`);
  return output;
}

/** @param {number} pid */
function runs(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/**
 * A folder is the lock: making one is atomic everywhere. A holder that has ended is recognised by its pid.
 * @template T @param {string} name @param {() => Promise<T>} work
 */
async function locked(name, work) {
  const lock = join(repository, `.${name}.lock`);
  const owner = join(lock, 'pid');
  let told = false;
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(owner, String(process.pid));
      break;
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code !== 'EEXIST')
        throw new SetupError(
          `cannot write to ${repository}: ${code}. Make it writable, or work in a copy of your own.`,
        );
      const pid = Number(read(owner));
      const age = existsSync(lock) ? Date.now() - statSync(lock).mtimeMs : 0;
      if ((pid > 0 && !runs(pid)) || age > LOCK_STALE_MS) {
        rmSync(lock, { recursive: true, force: true });
        continue;
      }
      if (!told) say('another set-up is running here: waiting for it');
      told = true;
      await new Promise((done) => setTimeout(done, 200));
    }
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

const dependenciesStamp = join(modules, '.switchboard-dependencies');
const dependenciesHash = () =>
  hashOf(['package-lock.json', ...WORKSPACES.map((folder) => join(folder, 'package.json'))]);

/** npm leaves out what does not say that it works with the Node that runs npm: the builds for this machine of tools that want a newer one. */
function isTooOld() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return !((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22);
}

/** Brings Node 24 alone, into the lock's folder, so that it can run npm for all the rest. @returns {Promise<string>} its path */
async function firstNode() {
  const folder = join(repository, '.setup.lock', 'first');
  const { dependencies } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{}');
  const program = join(folder, 'node_modules', 'node', 'bin', basename(node24));
  await npm(
    process.execPath,
    ['install', '--no-audit', '--no-fund', '--ignore-scripts', `node@${dependencies.node}`],
    folder,
  );
  await nodeBinary(process.execPath, join(folder, 'node_modules', 'node'), program);
  return program;
}

/** What was fetched once is not asked for again: set-up then works without a network too. */
const FROM_CACHE = { npm_config_prefer_offline: 'true' };

/**
 * npm, run by this Node.
 * @param {string} program @param {readonly string[]} args @param {string} [cwd]
 */
async function npm(program, args, cwd = repository) {
  const script = process.env['npm_execpath'];
  const options = {
    cwd,
    env: { ...process.env, ...FROM_CACHE, PATH: `${dirname(program)}${delimiter}${process.env['PATH'] ?? ''}` },
  };
  if (script !== undefined && script.endsWith('.js')) await run(`npm ${args[0]}`, program, [script, ...args], options);
  else
    await run(`npm ${args[0]}`, process.platform === 'win32' ? 'npm.cmd' : 'npm', args, {
      ...options,
      shell: process.platform === 'win32',
    });
}

/** The Node that runs this may be one of the files that are replaced: then it is kept in the lock's folder until the end. */
function lastingNode() {
  if (!process.execPath.startsWith(modules + sep)) return process.execPath;
  const kept = join(repository, '.setup.lock', 'node');
  try {
    linkSync(process.execPath, kept);
  } catch {
    copyFileSync(process.execPath, kept);
  }
  return kept;
}

/**
 * @param {string} program the Node to run it with
 * @param {string} [folder] of the package @param {string} [wanted] what it must bring
 * @returns {Promise<void>}
 */
async function nodeBinary(program, folder = join(modules, 'node'), wanted = node24) {
  if (existsSync(wanted)) return;
  // Install scripts are switched off for all packages; this one brings Node itself, so it is run by name.
  await run('bringing Node 24', program, ['installArchSpecificPackage.js'], {
    cwd: folder,
    env: {
      ...process.env,
      ...FROM_CACHE,
      npm_config_global: 'false',
      npm_config_user_agent: process.env['npm_config_user_agent'] ?? 'npm',
    },
    shell: false,
  });
  if (!existsSync(wanted))
    throw new SetupError(`the npm package "node" brought no binary for ${process.platform} ${process.arch}`);
}

async function dependencies() {
  const wanted = dependenciesHash();
  if (read(dependenciesStamp) === wanted && existsSync(node24)) return;
  await locked('setup', async () => {
    if (read(dependenciesStamp) === wanted && existsSync(node24)) return;
    say('installing dependencies and Node 24 (once; half a minute, or minutes on a slow machine) ...');
    rmSync(dependenciesStamp, { force: true });
    const program = isTooOld() ? await telling('fetching Node 24', firstNode()) : lastingNode();
    await telling('npm ci', npm(program, ['ci', '--no-audit', '--no-fund', '--ignore-scripts']));
    await telling('fetching Node 24', nodeBinary(program));
    // Last: whatever was cut short before is done again.
    writeFileSync(dependenciesStamp, wanted);
  });
}

/**
 * The environment in which everything else runs: Node 24 first on PATH, and a place for compiled code. With it a start is a second faster and
 * needs 20 MiB less, since Node need not load what strips types; where it can't be written nothing is lost.
 */
export function environment() {
  return {
    NODE_COMPILE_CACHE: join(modules, '.cache', 'node'),
    ...process.env,
    PATH: `${dirname(node24)}:${join(modules, '.bin')}:${process.env['PATH'] ?? ''}`,
  };
}

async function envoy() {
  const child = spawn(node24, [join(repository, 'envoy/src/install-main.ts')], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  child.stderr.on('data', (part) => {
    clearLine();
    process.stderr.write(part);
  });
  const code = await telling('bringing Envoy', new Promise((done) => child.once('close', done)));
  if (code !== 0) throw new SetupError('there is no Envoy');
}

/** @param {string} folder @returns {string[]} */
function filesBelow(folder) {
  return readdirSync(join(repository, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name.startsWith('.')) return [];
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .sort();
}

async function consoleBuild() {
  const stamp = join(repository, 'console/dist/.built-from');
  const wanted = hashOf([...filesBelow('console'), 'package-lock.json']);
  if (read(stamp) === wanted) return;
  await locked('console', async () => {
    if (read(stamp) === wanted) return;
    say('building the console ...');
    const fresh = join(repository, 'console/dist.new');
    rmSync(fresh, { recursive: true, force: true });
    const vite = [join(modules, 'vite/bin/vite.js'), 'build', '--outDir', fresh, '--emptyOutDir'];
    const options = { cwd: join(repository, 'console'), env: environment() };
    await telling('building the console', run('building the console', node24, vite, options));
    writeFileSync(join(fresh, '.built-from'), wanted);
    rmSync(join(repository, 'console/dist'), { recursive: true, force: true });
    renameSync(fresh, join(repository, 'console/dist'));
  });
}

/** @param {{ onlyDependencies?: boolean }} [options] */
export async function ensureReady({ onlyDependencies = false } = {}) {
  await dependencies();
  if (onlyDependencies) return;
  await Promise.all([envoy(), consoleBuild()]);
}

/** Runs what follows the set-up, and tells a failure as a person wants to read it. @param {() => Promise<number>} main */
export async function asProgram(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(
      `error: ${error instanceof SetupError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await asProgram(async () => {
    await ensureReady();
    say('ready');
    return 0;
  });
}
