/**
 * Programs that the tests need and that come from Debian's packages: installed where this user may, named where not.
 * `node deploy/setup/debian-packages.mjs podman busybox=busybox-static`: a program, or program=package.
 * `--unpack FOLDER` before them: packages are unpacked there and not installed, for programs that would come with a service that starts by
 * itself. Root is not needed for that, and the machine stays as it is.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} program */
function isThere(program) {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => isProgram(join(folder, program)));
}

const LOCK = join(tmpdir(), 'switchboard-apt.lock');
const LONGEST_MS = 5 * 60_000;

/**
 * One installation at a time; the package manager itself refuses a second. A lock that is left behind is not waited for longer than an installation takes.
 * @param {() => void} work
 */
async function alone(work) {
  for (const limit = Date.now() + LONGEST_MS; Date.now() < limit; await new Promise((done) => setTimeout(done, 500))) {
    try {
      mkdirSync(LOCK);
      break;
    } catch {
      // Another installs.
    }
  }
  try {
    work();
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
}

/**
 * @param {Readonly<Record<string, string>>} wanted program to the package that brings it
 * @returns {Promise<string | undefined>} what is missing and how to get it; undefined: all is there
 */
async function ensurePrograms(wanted) {
  const missing = () => Object.keys(wanted).filter((program) => !isThere(program));
  if (missing().length === 0) return undefined;
  let output = '';
  if (process.getuid?.() === 0 && isThere('apt-get')) {
    await alone(() => {
      if (missing().length === 0) return;
      const packages = [...new Set(missing().map((program) => wanted[program] ?? program))];
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
      for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
        const { stderr } = spawnSync('apt-get', args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
        output = stderr;
      }
    });
  }
  const left = missing();
  if (left.length === 0) return undefined;
  const packages = [...new Set(left.map((program) => wanted[program] ?? program))].join(' ');
  return `there is no ${left.join(', ')}: install it, on Debian with \`apt-get install ${packages}\`${output === '' ? '' : `\n${output.trim().split('\n').slice(-5).join('\n')}`}`;
}

/**
 * @param {Readonly<Record<string, string>>} wanted program to the package that brings it
 * @param {string} folder where its `usr/bin` is to be
 * @returns {Promise<string | undefined>} what is missing and how to get it; undefined: all is there
 */
async function ensureUnpacked(wanted, folder) {
  const missing = () => Object.keys(wanted).filter((program) => !isProgram(join(folder, 'usr/bin', program)));
  if (missing().length === 0) return undefined;
  const packages = [...new Set(missing().map((program) => wanted[program] ?? program))];
  let output = '';
  /** @param {string} program @param {readonly string[]} args @param {string} [cwd] */
  const run = (program, args, cwd) => {
    const { status, error, stderr } = spawnSync(program, args, {
      ...(cwd === undefined ? {} : { cwd }),
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (status !== 0) output = error?.message ?? stderr;
    return status === 0;
  };
  await alone(() => {
    if (missing().length === 0) return;
    const part = `${folder}.part`;
    rmSync(part, { recursive: true, force: true });
    mkdirSync(part, { recursive: true });
    const download = () => run('apt-get', ['download', ...packages], part);
    if (!download() && !(process.getuid?.() === 0 && run('apt-get', ['update']) && download())) return;
    const archives = readdirSync(part).filter((name) => name.endsWith('.deb'));
    if (!archives.every((name) => run('dpkg-deb', ['--extract', join(part, name), part]))) return;
    for (const name of archives) rmSync(join(part, name));
    rmSync(folder, { recursive: true, force: true });
    renameSync(part, folder);
  });
  if (missing().length === 0) return undefined;
  return `there is no ${missing().join(', ')}: install it, on Debian with \`apt-get install ${packages.join(' ')}\`\n${output.trim().split('\n').slice(-5).join('\n')}`;
}

const given = process.argv.slice(2);
const folder = given[0] === '--unpack' ? given.splice(0, 2)[1] : undefined;
const wanted = Object.fromEntries(
  given.map((text) => {
    const [program = '', name = program] = text.split('=');
    return [program, name];
  }),
);
const problem = folder === undefined ? await ensurePrograms(wanted) : await ensureUnpacked(wanted, resolve(folder));
if (problem !== undefined) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
