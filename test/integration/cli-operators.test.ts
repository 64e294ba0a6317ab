/** What operators have beside the basic commands, against a real gateway: `top` in a real terminal, contexts. */
import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Top } from '../../control-plane/src/cli/top-rows.ts';
import { runCli, type CliResult } from '../support/cli.ts';
import { echoService, repository, startWorld, type World } from '../support/world.ts';

const main = join(repository, 'control-plane/src/cli/main.ts');
let world: World;

beforeAll(async () => {
  world = await startWorld({
    name: 'cli-operators',
    seed: [echoService('echo', { replicas: 2 }), echoService('idle', { replicas: 0 })],
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** A command in a terminal of its own; `script` is a part of every Linux. */
function inTerminal(args: string) {
  const command = `stty rows 20 cols 160; stty -g > before; '${process.execPath}' '${main}' ${args}; code=$?; stty -g > after; exit $code`;
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd: world.folder,
    env: { PATH: process.env['PATH'], SWITCHBOARD_DATA: world.data, NO_COLOR: '1', TERM: 'xterm', SHELL: '/bin/sh' },
  });
  const said = { out: '' };
  child.stdout.on('data', (part: Buffer) => (said.out += part.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, said, ended };
}

it('top shows the fleet live, says when it is stale, and gives the terminal back', async () => {
  const crowd = await world.crowd('echo', 3);
  const first = await world.until(
    'it knows of the sessions',
    async () => {
      const { stdout } = await runCli(world, ['top', '-o', 'json']);
      const found = JSON.parse(stdout) as Top;
      return (
        found.total.sessions === 3 && found.total.handshakeP50Ms !== null && found.items[0]?.cpuCores !== null && found
      );
    },
    60_000,
  );
  expect(first.items.map(({ name, ready, wanted, sessions }) => [name, ready, wanted, sessions])).toEqual([
    ['echo', 2, 2, 3],
    ['idle', 0, 0, 0],
  ]);
  expect(first.items[0]).toMatchObject({ failuresPerSecond: 0, memoryBytes: expect.any(Number) as number });
  const once = await runCli(world, ['top', '--instances', '--service', 'echo', '--sort', 'sessions']);
  expect(once.stdout).toMatch(
    /^INSTANCE +SERVICE +STATE +READY +SESSIONS[^\n]*\n(echo-\w+ +echo +ready +1\/1 [^\n]*\n){2}$/,
  );
  expect((await runCli(world, ['top', '--sort', 'size'])).stderr).toContain('--sort must be one of');
  expect(await runCli(world, ['top', '--service', 'nobody'])).toMatchObject({ code: 3 });

  const terminal = inTerminal('top --interval 300ms');
  const shows = async (what: RegExp, from = 0): Promise<void> => {
    await world.until(`it shows ${what.source}`, async () => Promise.resolve(what.test(terminal.said.out.slice(from))));
  };
  await shows(/ live[^]*echo +ready +2\/2 +3 /);
  terminal.child.stdin.write('i');
  await shows(/echo-\w+ +echo +ready/);
  terminal.child.stdin.write('i>');
  await shows(/by state/);
  await world.killControlPlane();
  await shows(/stale since \d\d:\d\d:\d\d: no control plane answers/);
  const lost = terminal.said.out.length;
  await world.startControlPlane();
  await shows(/ live/, lost);
  terminal.child.stdin.write('q');
  expect(await terminal.ended).toBe(0);
  expect(terminal.said.out).toContain('\u001b[?1049h');
  expect(terminal.said.out.trimEnd().endsWith('\u001b[?7h\u001b[?25h\u001b[?1049l')).toBe(true);
  expect(readFileSync(join(world.folder, 'after'), 'utf8')).toBe(readFileSync(join(world.folder, 'before'), 'utf8'));

  const interrupted = inTerminal('top');
  await world.until('it has begun', async () => Promise.resolve(interrupted.said.out.includes('idle')));
  interrupted.child.stdin.write('\u0003');
  expect(await interrupted.ended).toBe(0);
  expect(crowd.cut()).toBe(0);
  await crowd.close();
});

it('contexts name installations: flags go before the environment, that before the current one, that before the data folder', async () => {
  const config = join(world.folder, 'config');
  const file = join(config, 'switchboard', 'contexts.yaml');
  const elsewhere = { XDG_CONFIG_HOME: config, SWITCHBOARD_DATA: undefined };
  const cli = async (args: readonly string[], more: Record<string, string | undefined> = {}): Promise<CliResult> =>
    runCli(world, args, { ...elsewhere, ...more });
  const { url } = world.client;

  expect((await cli(['context', 'list'])).stdout).toBe('no contexts\n');
  expect((await cli(['context', 'add', 'here', '--url', url])).stderr).toContain('there is no token');
  expect(await cli(['context', 'add', 'here', '--url', url, '--token-env', 'HERE'])).toMatchObject({ code: 0 });
  expect(
    await cli(['context', 'add', 'gone', '--url', 'http://127.0.0.1:1', '--token', 'sb_kept', '--use']),
  ).toMatchObject({
    code: 0,
    stdout: 'context gone added, and is used from now on\n',
  });
  expect(await cli(['context', 'add', 'gone', '--url', url, '--token', 'x'])).toMatchObject({ code: 5 });
  const list = await cli(['context', 'list']);
  expect(list.stdout).toContain(`*   gone   http://127.0.0.1:1`);
  expect(list.stdout).toContain('variable HERE');
  const shown = await cli(['context', 'show', 'gone', '-o', 'json']);
  for (const text of [list.stdout, shown.stdout, shown.stderr]) expect(text).not.toContain('sb_kept');

  // The current one, a flag, the environment, an address: each in its place.
  expect((await cli(['get', 'services'])).stderr).toContain('http://127.0.0.1:1');
  const token = { HERE: world.token };
  expect((await cli(['--context', 'here', 'get', 'services'], token)).stdout).toContain('echo');
  expect((await cli(['get', 'services'], { ...token, SWITCHBOARD_CONTEXT: 'here' })).stdout).toContain('echo');
  expect((await cli(['get', 'services'], { SWITCHBOARD_URL: url, SWITCHBOARD_TOKEN: world.token })).stdout).toContain(
    'echo',
  );
  expect((await cli(['--data', world.data, 'get', 'services'])).stdout).toContain('echo');
  expect((await cli(['get', 'services'], { SWITCHBOARD_DATA: world.data })).stdout).toContain('echo');
  const status = await cli(['status', '--context', 'here'], token);
  expect(status.stdout).toMatch(/context +here \(--context\)/);
  expect((await cli(['doctor', '--context', 'here'], token)).stdout).toMatch(/context +ok +here \(--context\), http/);
  expect((await cli(['--context', 'here', 'get', 'services'])).stderr).toContain('the variable HERE, which is not set');

  expect(await cli(['--context', 'nobody', 'status'])).toMatchObject({ code: 3 });
  expect((await cli(['--context', 'here', '--url', url, 'status'], token)).stderr).toContain('name two installations');
  // What is about this machine does not go to the current context.
  expect((await cli(['restore', 'backup.db'])).stderr).toContain('the control plane runs');
  expect((await cli(['context', 'remove', 'gone'])).stderr).toContain('it was the current one');
  expect((await cli(['context', 'use', 'here'])).code).toBe(0);
  expect((await cli(['context', 'show'], token)).stdout).toMatch(/context +here\n/);
  expect((await cli(['get', 'services'], token)).stdout).toContain('echo');
  expect((await cli(['context', 'use', '--none'])).code).toBe(0);

  chmodSync(file, 0o644);
  const open = await cli(['--context', 'here', 'status'], token);
  expect(open).toMatchObject({ code: 4 });
  expect(open.stderr).toContain(`chmod 600 ${file}`);
  chmodSync(file, 0o600);
  writeFileSync(file, 'current: [');
  expect((await cli(['context', 'add', 'new', '--url', url, '--token', 'x'])).stderr).toContain(
    'can not be understood',
  );
  expect(readFileSync(file, 'utf8')).toBe('current: [');
  expect((await cli(['doctor'])).stdout).toMatch(/control plane +FAIL[^\n]*can not be understood[^\n]*Mend it/);
});
