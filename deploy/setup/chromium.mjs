/**
 * The browser for the console's tests: SWITCHBOARD_CHROMIUM, or what is on PATH, or Debian's package where this may install it (root, apt-get).
 * As a program it prints the path, so that tests and set-up find the same one.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SetupError, asProgram } from './setup.mjs';
import { pathToFileURL } from 'node:url';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function find() {
  const given = process.env['SWITCHBOARD_CHROMIUM'];
  if (given !== undefined && given !== '') {
    if (isProgram(given)) return given;
    throw new SetupError(`SWITCHBOARD_CHROMIUM names ${given}, which is not a program`);
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

/** @param {readonly string[]} args */
function apt(args) {
  const { status, error, stderr } = spawnSync('apt-get', args, {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return { ok: status === 0, text: error?.message ?? stderr?.trim().split('\n').slice(-5).join('\n') ?? '' };
}

/** Path of a Chromium; installs one where it must and may. */
export function ensureChromium() {
  const found = find();
  if (found !== undefined) return found;
  const manual =
    'Install Chromium (Debian, Ubuntu: `sudo apt-get install chromium`; macOS: `brew install --cask chromium`), or name one in SWITCHBOARD_CHROMIUM.';
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new SetupError(`the console's tests need Chromium, and none is on PATH. ${manual}`);
  process.stderr.write("switchboard: installing Chromium for the console's tests (a minute or two, once) ...\n");
  apt(['update', '-qq']);
  const { ok, text } = apt(['install', '-y', '-qq', '--no-install-recommends', 'chromium']);
  // Without it Chinese is drawn as boxes of another width; where it can't be had, pages still work.
  apt(['install', '-y', '-qq', '--no-install-recommends', 'fonts-droid-fallback']);
  const installed = find();
  if (!ok || installed === undefined)
    throw new SetupError(`the console's tests need Chromium, and apt-get could not install it: ${text}\n${manual}`);
  return installed;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await asProgram(async () => {
    process.stdout.write(`${ensureChromium()}\n`);
    return 0;
  });
}
