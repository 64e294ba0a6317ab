/** `--ready`: a command that returns when what it wrote runs, or says why it does not. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCli, startCli, type CliResult } from '../support/cli.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

let world: World;
const cli = async (...args: string[]): Promise<CliResult> => runCli(world, args);

beforeAll(async () => {
  world = await startWorld({ name: 'cli-ready' });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** `args` make a version of it. */
function file(name: string, spec: Record<string, unknown> = {}, args: readonly string[] = []): string {
  const path = join(world.folder, `${name}.json`);
  writeFileSync(path, JSON.stringify(echoService(name, spec, args)));
  return path;
}

const serving = async (service: string) =>
  (await world.client.instances({ service })).items.filter((one) => one.state === 'ready' && one.drain === undefined);

it('apply returns when all runs, and a new version when it has taken over', async () => {
  const first = await cli('apply', '-f', file('echo', { replicas: 2 }), '--ready');
  expect([first.code, first.stdout]).toEqual([0, 'service/echo created\n']);
  expect(first.stderr).toMatch(/revision \d+ runs on gateway-1\n/);
  expect(first.stderr).toMatch(/service\/echo: 2 of 2 instances are ready\n$/);
  const session = await world.open('echo');
  expect(await session.ask('x')).toBe('x');
  const second = await cli('apply', '-f', file('echo', { replicas: 2 }, ['--mark', 'two']), '--ready');
  expect([second.code, second.stderr]).toEqual([0, expect.stringContaining('instances are ready; progressing: ')]);
  expect((await serving('echo')).map(({ version }) => version)).toEqual([2, 2]);
  expect((await world.client.rollout('echo')).phase).toBe('completed');
  // The open session is no reason to wait: it goes on where it is.
  expect(await session.ask('still here')).toBe('still here');
  await session.close();
  const again = await cli('apply', '-f', file('echo', { replicas: 2 }, ['--mark', 'two']), '--ready');
  expect([again.code, again.stdout]).toEqual([0, 'service/echo unchanged\n']);
  expect(await cli('rollout', 'status', 'echo', '--ready')).toMatchObject({ code: 0 });
});

it('start, scale and restart return when it is so', async () => {
  await cli('apply', '-f', file('many'), '--ready');
  expect(await cli('scale', 'many', '3', '--ready')).toMatchObject({ code: 0, stdout: 'service/many updated\n' });
  const before = (await serving('many')).map(({ id }) => id);
  expect(before).toHaveLength(3);
  expect(await cli('restart', 'many', '--ready')).toMatchObject({ code: 0 });
  const after = (await serving('many')).map(({ id }) => id);
  expect(after).toHaveLength(3);
  expect(after.filter((id) => before.includes(id))).toEqual([]);
  expect(await cli('stop', 'many', '--now', '--wait')).toMatchObject({ code: 0 });
  expect(await cli('start', 'many', '--ready')).toMatchObject({ code: 0 });
  expect(await serving('many')).toHaveLength(3);
});

const fragile = { restart: { initialBackoff: '10ms', maxBackoff: '10ms', maxFailures: 2 } };

it('what gives up ends it with the reason, and a version that is taken back too', async () => {
  const broken = { ...fragile, launch: { command: ['sh', '-c', 'echo no key >&2; exit 3'] } };
  const first = await cli('apply', '-f', file('broken', broken), '--ready');
  expect(first.code).toBe(7);
  expect(first.stderr).toMatch(
    /error: service broken: instance broken-\w+ .*\n {2}remedy: See `switchboard logs broken-\w+`\.\n$/,
  );
  await cli('apply', '-f', file('careful'), '--ready');
  const second = await cli('apply', '-f', file('careful', broken), '--ready');
  expect(second.code).toBe(7);
  expect(second.stderr).toMatch(
    /error: service careful: the rollout of version 2 was aborted: .*\n {2}remedy: .*rollout status careful/,
  );
  // The old one serves, and that is all that this asks for.
  expect(await cli('scale', 'careful', '2', '--ready')).toMatchObject({ code: 0 });
  expect((await serving('careful')).map(({ version }) => version)).toEqual([1, 1]);
  expect(await cli('rollout', 'undo', 'careful', '--ready')).toMatchObject({ code: 0 });
});

it('the time may be over before, and --wait alone says that it does not run yet', async () => {
  const silent = { launch: { command: ['sleep', '1000'] } };
  const late = await cli('apply', '-f', file('late', silent), '--ready', '--timeout', '2s');
  expect(late.code).toBe(6);
  expect(late.stderr).toContain('error: after 2s not all of it runs: late: 0 of 1 instances are ready');
  const acked = await cli('apply', '-f', file('later', silent), '--wait');
  expect([acked.code, acked.stderr]).toEqual([
    0,
    expect.stringContaining('service/later: 0 of 1 instances are ready; --ready waits until it runs\n'),
  ]);
  for (const args of [
    ['apply', '-f', file('echo'), '--timeout', '1m'],
    ['scale', 'echo', '2', '--ready', '--timeout', 'soon'],
  ]) {
    const wrong = await cli(...args);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--timeout ')]);
  }
  expect(await cli('apply', '-f', file('dry'), '--ready', '--dry-run')).toMatchObject({ code: 0 });
});

it('it waits on over a restart of the control plane', async () => {
  const slow = { dependsOn: ['echo'], replicas: 1 };
  await world.client.stop('echo', { now: true });
  const { said, ended } = startCli(world, ['apply', '-f', file('dependent', slow), '--ready']);
  await world.until('it waits', async () => Promise.resolve(said.stderr.includes('0 of 1 instances are ready')));
  await world.killControlPlane();
  await world.startControlPlane();
  await world.client.start('echo');
  const { code, stderr } = await ended;
  expect([code, stderr]).toEqual([0, expect.stringContaining('the control plane is back\n')]);
});
