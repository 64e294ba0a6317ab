/** Commands that go on: watches, logs and talks, over restarts of the control plane; and the doctor. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTimeOf } from '../../control-plane/src/home/process-identity.ts';
import { compiled, echoService, repository, startWorld, type World } from '../support/world.ts';

const main = join(repository, 'control-plane/src/cli/main.ts');
const sample = join(repository, 'deploy/examples/agents/weather.ts');
let world: World;

function start(args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: world.folder,
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: compiled,
      HOME: process.env['HOME'],
      XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'],
      SWITCHBOARD_DATA: world.data,
      NO_COLOR: '1',
      ...environment,
    },
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (part: Buffer) => (said.out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (said.err += part.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, said, ended };
}

async function cli(args: readonly string[], input = '', environment: Record<string, string> = {}) {
  const { child, said, ended } = start(args, environment);
  child.stdin.end(input);
  return { code: await ended, ...said };
}

beforeAll(async () => {
  world = await startWorld({
    name: 'cli-live',
    seed: [
      echoService('echo'),
      {
        kind: 'Service',
        name: 'weather',
        spec: {
          launch: { command: [process.execPath, sample, '--host', '{host}', '--port', '{port}', '--pace', '5'] },
          probe: { type: 'myagent' },
        },
      },
    ],
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

it('watches and logs go on over a restart of the control plane, and take in what comes', async () => {
  const watch = start(['get', 'services', '-w']);
  const logs = start(['logs', 'echo', '-f']);
  try {
    await world.until('both show what is there', async () =>
      Promise.resolve(watch.said.out.includes('weather') && logs.said.out.includes('listening on')),
    );
    await world.client.scale('echo', 2);
    await world.ready('echo', 2);
    const ids = (await world.client.instances({ service: 'echo' })).items.map((one) => one.id);
    await world.until('the new instance is heard', async () =>
      Promise.resolve(ids.every((id) => logs.said.out.includes(`${id} listening on`))),
    );
    await world.killControlPlane();
    await world.until('both say so', async () =>
      Promise.resolve([watch, logs].every(({ said }) => said.err.includes('the control plane has gone'))),
    );
    await world.startControlPlane();
    await world.until('both are back', async () =>
      Promise.resolve([watch, logs].every(({ said }) => said.err.includes('the control plane is back'))),
    );
    await world.client.apply([echoService('later', { replicas: 0 })]);
    await world.client.scale('echo', 3);
    await world.ready('echo', 3);
    const third = (await world.client.instances({ service: 'echo' })).items
      .map((one) => one.id)
      .find((id) => !ids.includes(id));
    await world.until('what came later is shown', async () =>
      Promise.resolve(watch.said.out.includes('later') && logs.said.out.includes(`${third ?? ''} listening on`)),
    );
    for (const id of ids) expect(logs.said.out.split(`${id} listening on`)).toHaveLength(2);
  } finally {
    for (const { child } of [watch, logs]) child.kill('SIGINT');
  }
  expect([await watch.ended, await logs.ended]).toEqual([0, 0]);
  expect(await cli(['logs', 'nobody', '-f'])).toMatchObject({ code: 3 });
  expect(await cli(['--token', 'wrong', 'get', 'services', '-w'])).toMatchObject({ code: 4 });
});

it('a pipe is a talk: each line gets its answer before the next is sent', async () => {
  const talk = await cli(['connect', 'weather'], 'weather in Paris?\n\nweather in Rome?\n');
  expect(talk.code).toBe(0);
  expect(talk.out).toMatch(/^[^\n]*Paris: [^\n]*\n[^\n]*Rome: [^\n]*\n$/);
  const echo = await cli(['connect', 'echo'], 'one\ntwo\nthree');
  expect([echo.code, echo.out.split('\n').slice(1)]).toEqual([0, ['one', 'two', 'three', '']]);
  const raw = await cli(['connect', 'weather', '--raw'], '{"event":"user.create_session","content":{}}\n');
  expect(raw.out).toContain('"system.connected"');
  expect((await cli(['connect', 'weather'], '')).code).toBe(0);
  expect((await cli(['connect', 'weather', '--timeout', 'soon'])).err).toContain('--timeout must be a duration');
  expect((await cli(['connect', 'nobody'], 'x')).code).toBe(3);
  await world.client.stop('weather', { now: true });
  expect(await cli(['connect', 'weather', '-m', 'x'])).toMatchObject({ code: 1, out: '' });
});

interface Check {
  name: string;
  ok: boolean;
  message: string;
  remedy: string;
}

it('the doctor finds what is wrong and says what helps', async () => {
  const well = await cli(['doctor', '-o', 'json']);
  expect(well).toMatchObject({ code: 0, err: '' });
  const names = (JSON.parse(well.out) as Check[]).map(({ name }) => name);
  for (const name of [
    'node',
    'python',
    'pip',
    'clock',
    'open files',
    'disk',
    'data folder',
    'envoy',
    'port: gateway',
    'service echo',
  ])
    expect(names).toContain(name);

  chmodSync(world.data, 0o755);
  const ill = await cli(['doctor', '-o', 'json']);
  chmodSync(world.data, 0o700);
  expect(ill.code).toBe(7);
  expect((JSON.parse(ill.out) as Check[]).filter(({ ok }) => !ok)).toMatchObject([
    { name: 'data folder', remedy: expect.stringContaining('chmod 700') as string },
  ]);

  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  const before = await cli(['doctor', '-o', 'json'], '', {
    SWITCHBOARD_DATA: join(world.folder, 'not yet'),
    SWITCHBOARD_GATEWAY_PORT: String(port),
    SWITCHBOARD_API_PORT: '0',
    SWITCHBOARD_XDS_PORT: '0',
    ENVOY_PATH: '/no/such/envoy',
  });
  taken.close();
  expect(before.code).toBe(7);
  const found = new Map((JSON.parse(before.out) as Check[]).map((one) => [one.name, one]));
  expect(found.get('port: gateway')).toMatchObject({
    ok: false,
    remedy: expect.stringContaining('SWITCHBOARD_GATEWAY_PORT') as string,
  });
  expect(found.get('envoy binary')).toMatchObject({
    ok: false,
    message: expect.stringContaining('/no/such/envoy') as string,
  });
  expect(found.get('control plane')).toMatchObject({ ok: false, remedy: 'Start it with `npm start`.' });
});

const free = {
  SWITCHBOARD_GATEWAY_PORT: '0',
  SWITCHBOARD_API_PORT: '0',
  SWITCHBOARD_XDS_PORT: '0',
};

/** One that only waits to be reaped does not. */
const lives = (pid: number | null): boolean => pid !== null && startTimeOf(pid) !== undefined;

it('down ends what goes on after the control plane was killed, and says when there is nothing', async () => {
  await world.ready('echo', (await world.client.service('echo')).status.wanted);
  const { envoy, agents } = await world.status();
  const left = [envoy.pid, ...agents.map(({ pid }) => pid)];
  await world.killControlPlane();
  expect(left.every(lives)).toBe(true);
  const down = await cli(['down', '--now'], '', free);
  expect([down.code, down.out]).toEqual([0, '']);
  expect(down.err).toMatch(
    /^the control plane does not run; .*\n(waiting for .*\n)*no session is open\neverything has ended\n$/,
  );
  expect(left.filter(lives)).toEqual([]);
  const again = await cli(['down'], '', free);
  expect([again.code, again.err]).toEqual([1, expect.stringContaining('nothing runs with the data folder')]);
});

it('up says how Envoy can be had where there is none, and shows no stack', async () => {
  const { code, err } = await cli(['up'], '', {
    ...free,
    SWITCHBOARD_DATA: join(world.folder, 'no envoy'),
    ENVOY_PATH: '/no/such/envoy',
  });
  expect(code).toBe(1);
  expect(err).toContain('ENVOY_PATH names /no/such/envoy, which is no file');
  expect(err).not.toMatch(/^ +at /m);
});

it('a mistyped variable is refused before anything is done, another unknown one told of', async () => {
  for (const args of [['get', 'services'], ['up'], ['down', '--now'], ['rollout', 'list']]) {
    const { code, out, err } = await cli(args, '', { SWITCHBOARD_DTAA: '/elsewhere' });
    expect([code, out]).toEqual([2, '']);
    expect(err).toBe(
      'error: there is no environment variable SWITCHBOARD_DTAA\n  remedy: Did you mean SWITCHBOARD_DATA? If not, unset it: its name is too near to be passed over.\n',
    );
  }
  const { code, err } = await cli(['context', 'list'], '', { SWITCHBOARD_OF_TOMORROW: '1' });
  expect([code, err]).toEqual([
    0,
    expect.stringContaining('warning: the environment variable SWITCHBOARD_OF_TOMORROW'),
  ]);
  expect((await cli(['__complete', '--', 'rollout', ''], '', { SWITCHBOARD_DTAA: 'x' })).out).toContain('status');
});

it('a token file that is of no use is named', async () => {
  const data = join(world.folder, 'odd');
  mkdirSync(data);
  writeFileSync(join(data, 'runtime.json'), JSON.stringify({ apiUrl: 'http://127.0.0.1:9' }));
  writeFileSync(join(data, 'admin.token'), '');
  const empty = await cli(['get', 'services'], '', { SWITCHBOARD_DATA: data });
  expect([empty.code, empty.err]).toEqual([4, expect.stringContaining(`${join(data, 'admin.token')} is empty`)]);
  rmSync(join(data, 'admin.token'));
  mkdirSync(join(data, 'admin.token'));
  const folder = await cli(['get', 'services'], '', { SWITCHBOARD_DATA: data });
  expect([folder.code, folder.err]).toEqual([4, expect.stringContaining('can not be read')]);
});
