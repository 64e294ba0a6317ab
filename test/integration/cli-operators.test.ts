/** What operators have beside the basic commands, against a real gateway: `top` in a real terminal. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Top } from '../../control-plane/src/cli/top-rows.ts';
import { runCli } from '../support/cli.ts';
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
