/** Each kind of program that can't be started, as it lies on a disk, and what is said of it. The last of them is started for real. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderProblem, programProblem } from './program.ts';

const root = mkdtempSync(join(tmpdir(), 'sb-program-'));
const at = (name: string): string => join(root, name);
const surroundings = { cwd: root, path: `${at('bin')}:/usr/bin:/bin` };

function file(name: string, content: string | Buffer, mode = 0o755): void {
  writeFileSync(at(name), content);
  chmodSync(at(name), mode);
}

/** A program of another machine: the head of our own node with another number in it. */
function elf(change: (head: Buffer) => void): Buffer {
  const head = Buffer.alloc(4096);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.writeUInt16LE(process.arch === 'arm64' ? 183 : 62, 18);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  // One program header: the name of its loader, 23 bytes from 1024 on.
  head.writeUInt32LE(3, 64);
  head.writeBigUInt64LE(1024n, 64 + 8);
  head.writeBigUInt64LE(23n, 64 + 32);
  change(head);
  return head;
}

beforeAll(() => {
  mkdirSync(at('bin'));
  mkdirSync(at('folder'));
  file('stale', '#!/opt/old-host/venv/bin/python\nprint("never")\n');
  file('twice', `#!${at('stale')}\n`);
  file('windows', '#!/usr/bin/env python3\r\nprint(1)\r\n');
  file('plain-windows', '#!/bin/sh\r\n');
  file('missing-env', '#!/usr/bin/env no-such-python\n');
  file('missing-env-s', '#!/usr/bin/env -S A=b no-such-python -u\n');
  file('env-words', '#!/usr/bin/env sh -u\n');
  file('env-good', '#!/usr/bin/env sh\necho good\n');
  file('env-s-good', '#!/usr/bin/env -S A=b sh -u\necho good\n');
  file('env-options', '#!/usr/bin/env -i no-such-python\n');
  file('not-executable', '#!/bin/sh\n', 0o644);
  file('no-first-line', 'echo good\n');
  file('good', '#!/bin/sh\necho good\n');
  file('folder-interpreter', `#!${at('folder')}\n`);
  file('long', `#!/${'a'.repeat(300)}/python\n`);
  file('bin/on-path', '#!/opt/old-host/venv/bin/python\n');
  symlinkSync('/opt/old-host/agent', at('dangling'));
  symlinkSync(at('loop'), at('loop'));
  file(
    'foreign',
    elf((head) => head.writeUInt16LE(process.arch === 's390x' ? 62 : 22, 18)),
  );
  file(
    'other-linux',
    elf((head) => head.write('/lib/ld-musl-none.so.1', 1024)),
  );
});

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('a program', () => {
  it.each([
    [
      'stale',
      /^its interpreter \/opt\/old-host\/venv\/bin\/python is not there \(first line of .*\/stale\): a virtual/,
    ],
    ['twice', /^its interpreter can not be started: its interpreter \/opt\/old-host\/venv\/bin\/python is not there/],
    ['windows', /ends with a carriage return.*"\/usr\/bin\/env python3\\r".*sed -i/],
    ['plain-windows', /ends with a carriage return.*"\/bin\/sh\\r"/],
    ['missing-env', /^its interpreter can not be started: command not found: no-such-python is in no folder of PATH/],
    ['missing-env-s', /^its interpreter can not be started: command not found: no-such-python /],
    ['env-words', /env is given "sh -u" as the name of one program .*: write `env -S sh -u`/],
    ['not-executable', /^permission denied: .*\/not-executable is not executable \(chmod \+x /],
    ['folder', /\/folder is a folder, not a program$/],
    ['folder-interpreter', /^its interpreter can not be started: .*\/folder is a folder/],
    ['long', /is longer than the 255 bytes/],
    ['dangling', /^command not found: .*\/dangling is a link to \/opt\/old-host\/agent, which is not there$/],
    ['loop', /is a link that leads to itself$/],
    ['nowhere', /^command not found: .*\/nowhere is not there$/],
    ['good/below', /^command not found: .*\/good\/below is not there$/],
    ['foreign', /is a program for another processor \((s390x|x64); this machine is /],
    ['other-linux', /^its loader \/lib\/ld-musl-none\.so\.1 is not there: .* was built for another kind of Linux$/],
  ])('%s', (name, problem) => {
    expect(programProblem(`./${name}`, surroundings)).toMatch(problem);
    expect(programProblem(at(name), { ...surroundings, cwd: '/' })).toMatch(problem);
  });

  it('of PATH is the first that may be run there, and its first line counts too', () => {
    expect(programProblem('on-path', surroundings)).toMatch(/^its interpreter .* \(first line of .*\/bin\/on-path\)/);
    expect(programProblem('no-such', surroundings)).toBe(
      `command not found: no-such is in no folder of PATH (${surroundings.path})`,
    );
  });

  it.each(['good', 'env-good', 'env-s-good', 'no-first-line'])('%s starts, as nothing speaks against it', (name) => {
    expect(programProblem(at(name), surroundings)).toBeUndefined();
    expect(spawnSync(at(name), { encoding: 'utf8', env: { PATH: surroundings.path } }).stdout).toBe('good\n');
  });

  it('that nothing is known of gets the benefit of the doubt', () => {
    expect(programProblem(at('env-options'), surroundings)).toBeUndefined();
    expect(programProblem(process.execPath, surroundings)).toBeUndefined();
  });
});

describe('a folder', () => {
  it('that is none is told as what it is', () => {
    expect(folderProblem(root)).toBeUndefined();
    expect(folderProblem(at('nowhere'))).toBe(`there is no folder ${at('nowhere')}`);
    expect(folderProblem(at('good'))).toBe(`${at('good')} is no folder`);
    expect(folderProblem(at('dangling'))).toMatch(
      /^the folder .*\/dangling is a link to \/opt\/old-host\/agent, which/,
    );
  });

  it('that may not be entered is named, not what lies in it', () => {
    mkdirSync(at('closed'));
    file('closed/agent', '#!/bin/sh\n');
    chmodSync(root, 0o755);
    chmodSync(at('closed'), 0o600);
    // Root may enter everything, so that another asks; the module stands alone.
    copyFileSync(fileURLToPath(new URL('program.ts', import.meta.url)), at('program.ts'));
    const script = `import { folderProblem, programProblem } from ${JSON.stringify(at('program.ts'))};
      const where = { cwd: '/', path: '/bin' };
      console.log(JSON.stringify([programProblem(${JSON.stringify(at('closed/agent'))}, where), folderProblem(${JSON.stringify(at('closed'))})]));`;
    const asked = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: '/',
      encoding: 'utf8',
      ...(process.getuid?.() === 0 ? { uid: 65_534 } : {}),
    });
    expect([asked.error, asked.stderr]).toEqual([undefined, '']);
    expect(JSON.parse(asked.stdout)).toEqual([
      `command not found: ${at('closed/agent')} is out of reach: ${at('closed')} may not be entered`,
      `permission denied: the folder ${at('closed')} may not be entered`,
    ]);
  });
});
