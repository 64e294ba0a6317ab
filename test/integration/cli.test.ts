/** The command line against a real gateway. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTimeOf } from '../../control-plane/src/home/process-identity.ts';
import type { SystemStatus } from '../../control-plane/src/model/system.ts';
import { startCli } from '../support/cli.ts';
import { startOlder } from '../support/older.ts';
import { openSession } from '../support/sessions.ts';
import { compiled, echoService, repository, startWorld, type World } from '../support/world.ts';

const main = join(repository, 'control-plane/src/cli/main.ts');
const echo = join(repository, 'test/support/echo-agent.ts');
const sample = join(repository, 'deploy/examples/agents/weather.ts');
let world: World;

interface Result {
  code: number | null;
  out: string;
  err: string;
}

async function cli(args: readonly string[], input: string | Buffer = ''): Promise<Result> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: world.folder,
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compiled, SWITCHBOARD_DATA: world.data, NO_COLOR: '1' },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (err += part.toString()));
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

beforeAll(async () => {
  world = await startWorld({
    name: 'cli',
    seed: [
      echoService('echo', { replicas: 2 }),
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

it('shows what runs, for people and for programs', async () => {
  const services = await cli(['get', 'services']);
  expect(services.out).toMatch(/^NAME\s+STATE\s+READY/);
  expect(services.out).toMatch(/echo\s+ready\s+2\/2/);
  expect((await cli(['get', 'instances', '-o', 'name', '--service', 'echo'])).out.trim().split('\n')).toHaveLength(2);
  const status = JSON.parse((await cli(['status', '-o', 'json'])).out) as SystemStatus;
  expect(status).toMatchObject({ envoy: { state: 'running' }, gateway: { port: expect.any(Number) as number } });
  expect((await cli(['describe', 'service', 'echo'])).out).toContain('versions:');
  expect((await cli(['get', 'gateways'])).out).toMatch(/gateway-1\s+1\.40\.0\s+\d+\s+SYNCED/);
  expect((await cli(['doctor'])).code).toBe(0);
});

it('works with an older control plane, which does not know all fields', async () => {
  await using older = await startOlder((await world.status()).api.url);
  const [instance] = (await world.client.instances({ service: 'echo' })).items;
  const commands = [
    'status',
    'doctor',
    'top --instances -o json',
    ...['services', 'instances', 'gateways', 'sessions'].map((kind) => `get ${kind} -o wide`),
    'gateway status -o wide',
    'gateway diff gateway-1 cds',
    'rollout list',
    'drains',
    'explain /agents/echo',
    `check ${instance?.id ?? ''}`,
    'apply -f same.yaml --dry-run',
  ];
  writeFileSync(join(world.folder, 'same.yaml'), JSON.stringify(echoService('echo', { replicas: 2 })));
  const failed: string[] = [];
  const next = async (): Promise<void> => {
    for (let command = commands.shift(); command !== undefined; command = commands.shift()) {
      const { code, out, err } = await cli([...command.split(' '), '--url', older.url]);
      if (code !== 0 || out.includes('undefined')) failed.push(`${command}: ${code}: ${err}${out}`);
    }
  };
  await Promise.all([next(), next(), next()]);
  expect(failed).toEqual([]);
  expect(older.leftOut()).toBeGreaterThan(1_000);
}, 120_000);

it('applies files and folders, tells what differs, and says unchanged', async () => {
  const folder = join(world.folder, 'resources');
  mkdirSync(folder);
  writeFileSync(join(folder, 'one.yaml'), JSON.stringify(echoService('one')));
  writeFileSync(
    join(folder, 'two.yaml'),
    `${JSON.stringify(echoService('two'))}\n---\n${JSON.stringify({ kind: 'Route', name: 'r', spec: { match: { path: { prefix: '/r' } }, target: { service: 'two' }, rewrite: '/' } })}`,
  );
  const diff = await cli(['diff', '-f', folder]);
  expect(diff.code).toBe(1);
  expect(diff.out).toContain('+name: one');
  expect((await cli(['apply', '-f', folder, '--dry-run'])).out).toContain('service/one created (dry run)');
  const applied = await cli(['apply', '-f', folder, '--wait']);
  expect(applied).toMatchObject({ code: 0, out: 'service/one created\nservice/two created\nroute/r created\n' });
  expect(applied.err).toMatch(/revision \d+ runs on gateway-1/);
  expect((await cli(['apply', '-f', '-'], JSON.stringify(echoService('one')))).out).toBe('service/one unchanged\n');
  expect((await cli(['diff', '-f', folder])).code).toBe(0);
  expect((await cli(['delete', 'route', 'r'])).code).toBe(0);
  expect((await cli(['delete', 'service', 'one'])).code).toBe(0);
  expect((await cli(['delete', 'service', 'one'])).code).toBe(3);
});

it('names what is wrong, with an exit code for programs', async () => {
  const bad = await cli(
    ['apply', '-f', '-'],
    'kind: Service\nname: x\nspec: { launch: { command: [a] }, replicsa: 2 }',
  );
  expect(bad).toMatchObject({ code: 2, out: '' });
  expect(bad.err).toContain('spec.replicsa: unknown field');
  expect((await cli(['apply', '-f', 'no-such.yaml'])).err).toContain('cannot read no-such.yaml');
  expect((await cli(['scale', 'echo', 'many'])).code).toBe(2);
  expect((await cli(['frobnicate'])).code).toBe(2);
  expect((await cli(['--token', 'wrong', 'get', 'services'])).code).toBe(4);
  for (const [args, code, said] of [
    [['describe', 'service', 'weathre'], 3, 'remedy: Did you mean weather?'],
    [['get', 'service', 'wether'], 3, 'remedy: Did you mean weather?'],
    [['logs', 'ecko'], 3, 'there is no service or instance ecko\n  remedy: Did you mean echo?'],
    [['check', 'nobody'], 3, 'there is no service or instance nobody'],
    [['scale', 'Echo', '2'], 3, 'remedy: Did you mean echo?'],
    [
      ['get', 'services', '--limit', '0'],
      2,
      "option '--limit <count>' argument '0' is invalid. It must be a whole number from 1.",
    ],
    [
      ['get', 'servces'],
      2,
      'use one of services, instances, routes, gateways, sessions, events, versions\n  remedy: Did you mean services?',
    ],
    [['delete', 'servce', 'echo'], 2, 'remedy: Did you mean service?'],
    [['drain', 'instnace', 'echo'], 2, 'remedy: Did you mean instance?'],
    [['apply', '-f', 'nix.yaml'], 2, 'cannot read nix.yaml: there is no such file'],
    [['up', '--gateway-port', 'x'], 2, "option '--gateway-port <port>' argument 'x' is invalid"],
    [['logs', 'echo', '--tail', 'x'], 2, "option '--tail <lines>' argument 'x' is invalid"],
    [['events', '--since', 'yesterday'], 2, '--since: '],
    [['sessions', '--count', 'colour'], 2, '--count: '],
    [['explain', '/x', '-H', 'x'], 2, 'error: --header: must be "Name: value", not "x"\n'],
    [['explain', '/x', '--client-ip', '999'], 2, '--client-ip: must be an IP address'],
    [['backup', '/no/such/folder/file'], 2, 'cannot write /no/such/folder/file'],
    [['run', '--service', 'x', '--port', '99999', '--', 'true'], 2, 'from 1 to 65535'],
    [['gateway', 'config', 'gateway-2'], 3, 'gateway-2'],
    [['--url', 'ftp://x', 'get', 'services'], 2, '--url must be an http or https address, not ftp://x'],
  ] as const) {
    const { code: ended, out, err } = await cli([...args]);
    expect([ended, out], args.join(' ')).toEqual([code, '']);
    expect(err, args.join(' ')).toContain(said);
  }
  expect(JSON.parse((await cli(['get', 'services', '--limit', '1', '-o', 'json'])).out)).toHaveLength(1);
  expect((await cli(['gateway', 'config', '-o', 'json'])).code).toBe(0);
  expect((await cli(['events', '--kind', 'Servce'])).out).toBe('no events\n');
  // Who starts a second one is not told that it runs.
  const second = await cli(['up']);
  expect([second.code, second.err]).toEqual([1, expect.stringMatching(/^error: another control plane/)]);
  // What can not be a header is not repeated: it may be a secret.
  const odd = await cli(['--token', 'a-secret\nof-two-lines', 'get', 'services']);
  expect(odd).toMatchObject({ code: 2 });
  expect(odd.err).not.toContain('a-secret');
  const nobody = await cli(['--url', 'http://127.0.0.1:1', 'get', 'services']);
  expect(nobody.code).toBe(1);
  expect(nobody.err).toContain('no control plane answers');
});

it('names the file and the document that are wrong, whatever they hold', async () => {
  const folder = join(world.folder, 'wrong');
  mkdirSync(folder);
  const good = 'kind: Service\nname: good\nspec: { launch: { command: [a] }, replicas: 0 }\n';
  const route = 'kind: Route\nname: beta\nspec: { match: { path: { prefix: /b } }, target: { service: nowhere } }\n';
  writeFileSync(join(folder, 'a.yaml'), good);
  writeFileSync(join(folder, 'b.yaml'), `${good.replace('good', 'other')}---\n${route}`);
  const two = await cli(['apply', '-f', folder]);
  expect(two).toMatchObject({ code: 2, out: '' });
  expect(two.err).toBe(
    `error: ${join(folder, 'b.yaml')}, document 2 (Route beta): spec.target.service: there is no service nowhere\n`,
  );
  const one = await cli(['apply', '-f', '-'], 'hello');
  expect(one.err).toBe('error: standard input: kind: must be Service or Route (it is missing)\n');
  for (const [content, said] of [
    [Buffer.from([0x6b, 0x3a, 0x20, 0xff]), 'standard input is not valid UTF-8'],
    ['kind: Service\nspec: &a { b: *a }', 'standard input: the text is nested deeper'],
    ['a: [', 'standard input: line 1, column 5: '],
    [
      `a: &a [x, x]\n${Array.from({ length: 30 }, (_, i) => `b${i}: &b${i} [${'*a, '.repeat(9)}*a]`).join('\n')}`,
      'standard input: the text is not valid YAML: Excessive alias count',
    ],
  ] as const) {
    const { code, err } = await cli(['apply', '-f', '-'], content);
    expect([code, err]).toEqual([2, expect.stringContaining(said)]);
  }
  expect((await cli(['get', 'service', 'good'])).code).toBe(3);
});

it("a session that is refused is told with the gateway's reason", async () => {
  await world.client.putService('empty', { spec: { launch: { command: ['a'] }, replicas: 0 } }, { wait: true });
  const { code, err } = await cli(['connect', 'empty', '-m', 'x']);
  expect([code, err]).toEqual([1, expect.stringContaining('refused with 503: no instance of the service')]);
});

it('talks to an agent, and stops and starts it', async () => {
  const answer = await cli(['connect', 'weather', '-m', 'weather in Paris?']);
  expect(answer).toMatchObject({ code: 0 });
  expect(answer.out).toMatch(/Paris: .*°C/);
  expect((await cli(['connect', 'echo', '-m', 'hello'])).out).toContain('hello');
  for (const path of ['deeper', '/deeper'])
    expect((await cli(['connect', 'echo', '--path', path, '-m', 'hello'])).out).toContain('hello');
  expect((await cli(['logs', 'weather'])).out).toContain('127.0.0.1');
  expect((await cli(['stop', 'weather', '--wait'])).out).toBe('service/weather updated\n');
  expect((await cli(['start', 'weather', '--wait'])).out).toBe('service/weather updated\n');
  await world.ready('weather', 1);
});

it('runs an agent of its own, registered while it lives and drained at the end', async () => {
  const agent = join(repository, 'test/support/echo-agent.ts');
  const child = spawn(
    process.execPath,
    [
      main,
      'run',
      '--service',
      'wrapped',
      '--create',
      '--ttl',
      '3',
      '--drain',
      '20s',
      '--',
      process.execPath,
      agent,
      '--port',
      '{port}',
    ],
    {
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compiled, SWITCHBOARD_DATA: world.data },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let out = '';
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  await world.until('it is ready', async () => (await world.client.service('wrapped')).status.state === 'ready');
  const session = await world.until('it is reached', async () => openSession(world.url('wrapped')));
  expect(await session.ask('x')).toBe('x');
  expect(out).toContain('listening on');
  child.kill('SIGTERM');
  await world.until('it drains', async () =>
    (await world.client.instances({ service: 'wrapped' })).items.some((one) => one.state === 'draining'),
  );
  expect(await session.ask('still here')).toBe('still here');
  await session.close();
  expect(await ended).toBe(0);
  expect((await world.client.instances({ service: 'wrapped' })).items).toEqual([]);
});

/** Of a wrapper: the one of its children that runs the echo agent. */
function agentOf(wrapper = 0): number {
  const children = readFileSync(`/proc/${wrapper}/task/${wrapper}/children`, 'utf8').trim().split(' ');
  return Number(children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(echo)));
}

it('an agent that it runs is drained and ends when the program that npm starts it through is killed', async () => {
  const launcher = spawn(
    process.execPath,
    [join(repository, 'deploy/setup/switchboard.mjs'), 'run', '--service', 'launched', '--create', '--'].concat([
      process.execPath,
      echo,
      '--port',
      '{port}',
    ]),
    { env: { PATH: process.env['PATH'], HOME: process.env['HOME'], SWITCHBOARD_DATA: world.data }, stdio: 'ignore' },
  );
  await world.until('it is ready', async () => (await world.client.service('launched')).status.state === 'ready');
  const [wrapper] = readFileSync(`/proc/${launcher.pid}/task/${launcher.pid}/children`, 'utf8').trim().split(' ');
  const agent = agentOf(Number(wrapper));
  launcher.kill('SIGKILL');
  await world.until('the agent has ended', async () => Promise.resolve(startTimeOf(agent) === undefined));
  await world.until(
    'it is gone',
    async () => (await world.client.instances({ service: 'launched' })).items.length === 0,
  );
  await world.until('its wrapper has ended', async () => Promise.resolve(startTimeOf(Number(wrapper)) === undefined));
});

it('an agent that it runs and that ends by itself takes its registration with it, and the events say how it ended', async () => {
  const wrapper = spawn(
    process.execPath,
    [main, 'run', '--service', 'brief', '--create', '--', process.execPath, echo, '--port', '{port}'],
    {
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: compiled, SWITCHBOARD_DATA: world.data },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let err = '';
  wrapper.stderr.on('data', (part: Buffer) => (err += part.toString()));
  const ended = new Promise<number | null>((resolve) => wrapper.once('close', resolve));
  await world.until('it is ready', async () => (await world.client.service('brief')).status.state === 'ready');
  process.kill(agentOf(wrapper.pid), 'SIGKILL');
  expect(await ended).toBe(137);
  expect(err).toContain('the agent ended by signal 9');
  await world.until('it is gone', async () => (await world.client.instances({ service: 'brief' })).items.length === 0);
  expect((await cli(['events', '-s', 'brief'])).out).toContain('deregistered itself (the agent ended by signal 9)');
});

it('says at once that a service takes no agents, and after a while that the agent does not listen', async () => {
  const refused = await cli(['run', '--service', 'echo', '--', process.execPath, echo, '--port', '{port}']);
  expect([refused.code, refused.err]).toEqual([
    2,
    expect.stringContaining('service echo does not take registrations: its runtime is process\n  remedy: '),
  ]);
  const { said, ended } = startCli(world, [
    'run',
    '--service',
    'deaf',
    '--create',
    '--',
    'sh',
    '-c',
    'sleep 4 # {port}',
  ]);
  expect((await ended).code).toBe(0);
  expect(said.stderr).toMatch(
    /^waiting for the agent to listen at 127\.0\.0\.1:\d+; .*\nthe agent ended with exit code 0\n$/,
  );
});

it('saves a copy of the store', async () => {
  const target = join(world.folder, 'backup.db');
  expect((await cli(['backup', target])).code).toBe(0);
  expect((await cli(['backup', target])).code).toBe(5);
  expect((await cli(['restore', target])).err).toContain('the control plane runs');
});
