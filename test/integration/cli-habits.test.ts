/** What people's fingers know: short names, `-w` on a pipe, jsonpath, `version`; and a yes before sessions end, asked for once. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { VERSION } from '../../control-plane/src/model/release.ts';
import { runCli, startCli, type CliResult } from '../support/cli.ts';
import { compiled, echoService, repository, startWorld, type World } from '../support/world.ts';

let world: World;
const cli = async (...args: string[]): Promise<CliResult> => runCli(world, args);

beforeAll(async () => {
  world = await startWorld({ name: 'cli-habits', seed: [echoService('echo'), echoService('other')] });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

it('open sessions end at once after a yes alone, and their number is said once', async () => {
  const session = await world.open('echo');
  const [id = ''] = (await world.client.instances({ service: 'echo' })).items.map((one) => one.id);
  await world.until('the session is known', async () => (await world.status()).sessions.open === 1);
  const ways = [
    ['stop', 'echo', '--now'],
    ['restart', 'echo', '--now'],
    ['delete', 'svc', 'echo', '--now'],
    ['delete', 'inst', id, '--now'],
    ['drain', 'inst', id, '--deadline', '0s'],
    ['drain', 'service', 'echo', '--deadline', '0s', '--keep'],
    ['gateway', 'restart', '--deadline', '1s'],
    ['end', '--service', 'echo'],
  ];
  for (const way of ways) {
    const { code, stdout, stderr } = await cli(...way);
    expect([way, code, stdout, stderr.match(/1 open sessions?/g)], stderr).toEqual([way, 2, '', [expect.anything()]]);
    expect(stderr).toMatch(/^error: nothing was changed: .*\n {2}remedy: Confirm it with --yes\.\n$/);
  }
  expect(await session.ask('still here')).toBe('still here');
  // Nothing ends at once: nobody need say yes, and what will be is said once.
  const later = await cli('drain', 'inst', id, '--keep');
  expect([later.code, later.stderr.match(/1 open session/g)], later.stderr).toEqual([0, ['1 open session']]);
  expect(await session.ask('still here')).toBe('still here');
  const now = await cli('stop', 'echo', '--now', '--yes');
  expect([now.code, now.stderr.match(/1 open session/g)], now.stderr).toEqual([0, ['1 open session']]);
  await session.closed;
});

it('kinds go by their short names too, one or several', async () => {
  for (const kind of ['svc', 'service', 'services', 'Service'])
    expect((await cli('get', kind, 'other', '-o', 'name')).stdout).toBe('other\n');
  expect((await cli('get', 'inst', '--service', 'other', '-o', 'name')).stdout).toMatch(/^other-\w+\n$/);
  expect((await cli('get', 'rt')).stdout).toBe('no routes\n');
  expect((await cli('describe', 'svc', 'other')).stdout).toMatch(/^service:\n(.*\n)* {2}name: other\n/);
  const wrong = await cli('get', 'svcx');
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('svcx is no kind')]);
});

it('-o jsonpath shows what it names, and says what it can not', async () => {
  const names = await cli('get', 'svc', '-o', 'jsonpath={.items[*].name}');
  expect([names.code, names.stdout]).toEqual([0, 'echo other\n']);
  expect((await cli('get', 'svc', 'other', '-o', 'jsonpath={.status.wanted}')).stdout).toBe('1\n');
  const filter = await cli('get', 'svc', '-o', 'jsonpath={.items[?(@.name=="x")]}');
  expect([filter.code, filter.stdout, filter.stderr]).toEqual([2, '', expect.stringContaining('remedy: Use fields')]);
});

it('tells its version and that of what runs; without one its own', async () => {
  const { version } = (await world.status()).envoy;
  expect((await cli('version')).stdout).toBe(`client ${VERSION}\nserver ${VERSION}\nenvoy ${version}\n`);
  expect((await cli('--version')).stdout).toBe(`${VERSION}\n`);
  const alone = await runCli(world, ['version'], { SWITCHBOARD_URL: 'http://127.0.0.1:9', SWITCHBOARD_TOKEN: 'x' });
  expect([alone.code, alone.stdout]).toEqual([0, `client ${VERSION}\n`]);
  expect(alone.stderr).toContain("the control plane's version is not known");
});

it('a watch on a pipe goes on with what is new, its titles once', async () => {
  const watch = startCli(world, ['get', 'svc', '-w']);
  try {
    await world.until('it shows what is there', async () => Promise.resolve(watch.said.stdout.includes('other')));
    await world.client.apply([echoService('later', { replicas: 0 })]);
    await world.until('it shows what comes', async () => Promise.resolve(watch.said.stdout.includes('later')));
  } finally {
    watch.interrupt();
  }
  const { stdout } = await watch.ended;
  expect(stdout.match(/^NAME/gm)).toHaveLength(1);
  expect(stdout).not.toContain('\u001b');
  expect(stdout).not.toContain('\n\n');
  expect(stdout.match(/^other /gm)).toHaveLength(1);
});

it('a table on a narrow terminal is one block an item', async () => {
  const main = join(repository, 'control-plane/src/cli/main.ts');
  const shell = `stty cols 40 rows 20; exec '${process.execPath}' '${main}' get svc`;
  const child = spawn('python3', [join(repository, 'test/support/terminal.py'), 'sh', '-c', shell], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: compiled,
      SWITCHBOARD_DATA: world.data,
      NO_COLOR: '1',
    },
  });
  let shown = '';
  child.stdout.on('data', (part: Buffer) => (shown += part.toString()));
  await world.until('it shows all', async () => Promise.resolve(/^NAME +other\r[^]*^ADDRESS /m.test(shown)));
  child.stdin.end();
  expect(shown).toMatch(/^NAME {6}other\r\nSTATE {5}ready\r\nREADY {5}1\/1\r\n/m);
});
