/** Logs as they are, from the agent's files to a terminal: through the API, a pipe, and a real terminal. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isError } from '../../control-plane/src/model/errors.ts';
import { compiled, echoService, repository, startWorld, type World } from '../support/world.ts';

const main = join(repository, 'control-plane/src/cli/main.ts');
const NOISY = `
process.stderr.write('first an error\\n');
setTimeout(() => process.stdout.write('then \\x1b]0;pwned\\x07\\x1b]52;c;eA==\\x07\\x1b[2J\\x1b[31mred\\x1b[0m \\x9b2Jtext\\x07\\n'), 300);
setTimeout(() => process.stderr.write('again an error\\n'), 600);
setTimeout(() => { let n = 0; setInterval(() => process.stdout.write('\\r' + 'step ' + n++), 100); }, 900);
`;
let world: World;

beforeAll(async () => {
  world = await startWorld({
    name: 'logs',
    waitReady: false,
    seed: [
      { kind: 'Service', name: 'noisy', spec: { launch: { command: [process.execPath, '-e', NOISY] } } },
      { kind: 'Service', name: 'remote', spec: { runtime: 'external', addresses: [{ host: '127.0.0.1', port: 9 }] } },
      echoService('empty', { replicas: 0 }),
    ],
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const idOf = async (service: string): Promise<string> =>
  world.until(`${service} has an instance`, async () => (await world.client.instances({ service })).items[0]?.id);

function start(command: string, args: readonly string[]) {
  const child = spawn(command, args, {
    cwd: world.folder,
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: compiled,
      SWITCHBOARD_DATA: world.data,
      TERM: 'xterm-256color',
      SHELL: '/bin/sh',
    },
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (part: Buffer) => (said.out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (said.err += part.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, said, ended };
}

async function cli(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const { said, ended } = start(process.execPath, [main, ...args]);
  return { code: await ended, ...said };
}

it('has times and one order, keeps what was written, and tells what has no end yet', async () => {
  const id = await idOf('noisy');
  const lines = await world.until('it counts', async () => {
    const { lines: found } = await world.client.logs(id);
    return found.at(-1)?.unfinished === true ? found : undefined;
  });
  expect(lines.map(({ stream, unfinished = false }) => [stream, unfinished])).toEqual([
    ['stderr', false],
    ['stdout', false],
    ['stderr', false],
    ['stdout', true],
  ]);
  expect(lines[1]?.text).toContain('\u001b]0;pwned\u0007');
  expect(lines[3]?.text).toMatch(/^step \d+$/);
  const times = lines.slice(0, 3).map(({ at }) => Date.parse(at ?? ''));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  const shown = await cli('logs', 'noisy', '-t');
  expect(shown.out).toMatch(/^\S+Z first an error\n\S+Z then red text\uFFFD\n\S+Z again an error\n- step \d+\n$/);
});

it('on a terminal a growing line is written over, and nothing else steers it', async () => {
  const command = `'${process.execPath}' '${main}' logs noisy -f`;
  const { child, said, ended } = start('script', ['-qefc', command, '/dev/null']);
  try {
    await world.until('it counts', async () => {
      await sleep(20);
      return said.out.split('\r\u001b[K').length > 3;
    });
  } finally {
    child.kill('SIGTERM');
  }
  await ended;
  expect(said.out).toContain('\u001b[31mred\u001b[0m text');
  const ours = ['\u001b[36m', '\u001b[39m', '\u001b[31m', '\u001b[0m', '\r\u001b[K'].reduce(
    (text, one) => text.replaceAll(one, ''),
    said.out,
  );
  expect(ours).not.toMatch(/(?![\r\n])\p{Cc}/u);
});

it('of what was not started here it says where its log is', async () => {
  const id = await idOf('remote');
  const where = `error: ${id} was not started by Switchboard: its log is not here\n  remedy: Look where it runs, at 127.0.0.1:9.\n`;
  for (const args of [
    ['logs', 'remote'],
    ['logs', id],
    ['logs', id, '-f'],
  ])
    expect(await cli(...args)).toEqual({ code: 1, out: '', err: where });
  const error: unknown = await (async () => {
    for await (const line of world.client.followLogs(id, 10, AbortSignal.timeout(20_000))) return line;
    return undefined;
  })().catch((thrown: unknown) => thrown);
  expect(isError(error, 'unsupported')).toBe(true);
  expect(await cli('logs', 'empty')).toEqual({ code: 0, out: '', err: 'empty has no instance now, and so no log\n' });
});
