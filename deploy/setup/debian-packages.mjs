/**
 * Programs that the tests need and that come from Debian's packages: installed where this user may, named where not.
 * `node deploy/setup/debian-packages.mjs podman busybox=busybox-static`: a program, or program=package.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** @param {string} program */
function isThere(program) {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
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

const problem = await ensurePrograms(
  Object.fromEntries(
    process.argv.slice(2).map((text) => {
      const [program = '', name = program] = text.split('=');
      return [program, name];
    }),
  ),
);
if (problem !== undefined) {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
