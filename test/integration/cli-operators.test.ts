/** What operators have beside the basic commands, against a real gateway: `top` in a real terminal, contexts, debug bundles, pruning. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Top } from '../../control-plane/src/cli/top-rows.ts';
import { runCli, type CliResult } from '../support/cli.ts';
import { compiled, echoService, repository, startWorld, type World } from '../support/world.ts';

const main = join(repository, 'control-plane/src/cli/main.ts');
/** Known to the control plane alone, as its variable and as a file. */
const SECRETS = {
  variable: 'from-a-variable-7f3a',
  file: 'from-a-file-91bc',
  clear: 'in-clear-55d0',
  plain: 'plain-value-2e8f',
  argument: 'as-an-argument-6a1c',
  note: 'in-a-note-c04d',
  query: 'in-a-query-8b7e',
};
let world: World;

beforeAll(async () => {
  world = await startWorld({
    name: 'cli-operators',
    seed: [echoService('echo', { replicas: 2 }), echoService('idle', { replicas: 0 })],
    environment: { OPERATORS_SECRET: SECRETS.variable },
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
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: compiled,
      SWITCHBOARD_DATA: world.data,
      NO_COLOR: '1',
      TERM: 'xterm',
      SHELL: '/bin/sh',
    },
  });
  const said = { out: '' };
  child.stdout.on('data', (part: Buffer) => (said.out += part.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, said, ended };
}

it('a shell completes names of what there is, and says nothing where nobody answers', async () => {
  const script = (await runCli(world, ['completion', 'bash'])).stdout;
  const bin = join(world.folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'switchboard'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, { mode: 0o755 });
  const complete = async (data: string, ...words: string[]): Promise<string[]> => {
    const line = words.map((word) => `'${word}'`).join(' ');
    const ask = `${script}\nCOMP_WORDS=(switchboard ${line}); COMP_CWORD=${words.length}; _switchboard; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const child = spawn('bash', ['-c', ask], {
      env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, SWITCHBOARD_DATA: data, HOME: world.folder },
    });
    let out = '';
    child.stdout.on('data', (part: Buffer) => (out += part.toString()));
    await new Promise((resolve) => child.once('close', resolve));
    return out.split('\n').filter((one) => one !== '');
  };
  expect(await complete(world.data, 'rollout', 'status', '')).toEqual(['echo', 'idle']);
  const ids = (await world.client.instances({ service: 'echo' })).items.map(({ id }) => id);
  expect(await complete(world.data, 'logs', 'echo-')).toEqual(ids);
  expect(await complete(world.data, 'rollout', 'pr')).toEqual(['promote']);
  expect(await complete(join(world.folder, 'nowhere'), 'logs', '')).toEqual([]);
});

it('a policy of scaling is tried on what was recorded, and one that is wrong is told by its field', async () => {
  const file = join(world.folder, 'policy.yaml');
  writeFileSync(file, 'min: 1\nmax: 4\nsessions: 2\n');
  const crowd = await world.crowd('echo', 6, 1_000);
  // History tells of whole ten seconds.
  const steps = await world.until(
    'the sessions are recorded',
    async () => {
      const { code, stdout } = await runCli(world, [
        'autoscale',
        'replay',
        'echo',
        '-f',
        file,
        '--over',
        '5m',
        '-o',
        'json',
      ]);
      if (code !== 0) return false;
      const [replay] = JSON.parse(stdout) as { steps: { sessions: number | null; wanted: number }[] }[];
      return replay?.steps.some(({ sessions }) => sessions === 6) === true && replay.steps;
    },
    40_000,
  );
  expect(steps.at(-1)?.wanted).toBe(4);
  const told = await runCli(world, ['autoscale', 'replay', 'echo', '-f', file]);
  expect(told.stdout).toMatch(/^\d to 4 instances; [\d.]+ instance hours/);
  expect(told.stdout).toMatch(/-> 4 +(Panic|Load) +6 sessions/);
  await crowd.close();
  const wrong = async (text: string): Promise<string> => {
    writeFileSync(file, text);
    const { code, stderr } = await runCli(world, ['autoscale', 'replay', 'echo', '-f', file]);
    expect(code).toBe(2);
    return stderr;
  };
  expect(await wrong('sessions: many\n')).toContain('sessions');
  expect(await wrong('sessions: [\n')).toContain('policy.yaml');
  expect(await wrong('sessions: 1\n---\nsessions: 2\n')).toContain('must hold one policy');
  const missing = await runCli(world, ['autoscale', 'replay', 'echo', '-f', `${file}.not`]);
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot read') as string });
  expect((await runCli(world, ['autoscale', 'status', 'echo'])).stderr).toContain('is not autoscaled');
});

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
  const token = { HERE: world.token };
  const text = async (args: readonly string[], more: Record<string, string> = {}): Promise<string> => {
    const { stdout, stderr } = await cli(args, more);
    return stdout + stderr;
  };
  const said = await Promise.all([
    text(['get', 'services']),
    text(['--context', 'here', 'get', 'services'], token),
    text(['get', 'services'], { ...token, SWITCHBOARD_CONTEXT: 'here' }),
    text(['get', 'services'], { SWITCHBOARD_URL: url, SWITCHBOARD_TOKEN: world.token }),
    text(['--data', world.data, 'get', 'services']),
    text(['get', 'services'], { SWITCHBOARD_DATA: world.data }),
    text(['status', '--context', 'here'], token),
    text(['doctor', '--context', 'here'], token),
    text(['--context', 'here', 'get', 'services']),
    text(['--context', 'nobody', 'status']),
    text(['--context', 'here', '--url', url, 'status'], token),
  ]);
  for (const [index, what] of [
    /http:\/\/127\.0\.0\.1:1:/,
    /echo/,
    /echo/,
    /echo/,
    /echo/,
    /echo/,
    /context +here \(--context\)/,
    /context +ok +here \(--context\), http/,
    /the variable HERE, which is not set/,
    /there is no context nobody in .*: there is here, gone/,
    /name two installations/,
  ].entries())
    expect(said[index]).toMatch(what);
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

/** Names and texts of a .tar.gz. */
function unpacked(file: string): Map<string, string> {
  const tar = gunzipSync(readFileSync(file));
  const found = new Map<string, string>();
  for (let at = 0; tar[at] !== 0 && at < tar.length;) {
    const text = (from: number, length: number): string =>
      tar.toString('utf8', at + from, at + from + length).split('\0')[0] ?? '';
    const size = Number.parseInt(text(124, 12), 8);
    expect(Number.parseInt(text(100, 8), 8)).toBe(0o600);
    found.set(text(0, 100).replace(/^[^/]+\//, ''), tar.toString('utf8', at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}

it('a debug bundle has everything but secrets, and what is left when the control plane is down', async () => {
  const kept = join(world.folder, 'secret.txt');
  writeFileSync(kept, `${SECRETS.file}\n`);
  const talkative = `console.log('I know', process.env.KEPT); console.error('authorization: Bearer ' + process.env.REFERRED);
    console.log('GET /a?token=${SECRETS.query}&x=1', process.env.API_TOKEN, process.env.PLAIN_PASSWORD); setInterval(() => undefined, 1000)`;
  await world.client.apply(
    [
      {
        kind: 'Service',
        name: 'talkative',
        spec: {
          launch: {
            command: [process.execPath, '-e', talkative, '--', '--api-key', SECRETS.argument],
            env: {
              REFERRED: { fromEnv: 'OPERATORS_SECRET' },
              KEPT: { fromFile: kept },
              API_TOKEN: SECRETS.clear,
              PLAIN_PASSWORD: SECRETS.plain,
            },
          },
        },
      },
    ],
    { note: `the password=${SECRETS.note} is new` },
  );
  await world.until('it has talked', async () => {
    const id = (await world.client.instances({ service: 'talkative' })).items[0]?.id;
    const text = id === undefined ? '' : (await world.client.logs(id)).lines.map((line) => line.text).join('\n');
    return Object.values(SECRETS)
      .slice(0, 4)
      .every((secret) => text.includes(secret));
  });
  await world.open('echo').then(async (session) => session.close());
  const file = join(world.folder, 'bundle.tar.gz');
  const clean = (parts: ReadonlyMap<string, string>): void => {
    const keys = readFileSync(join(world.data, 'tls/gateways/gateway-1/identity.json'), 'utf8');
    const key = /PRIVATE KEY-----\\n([^\\]+)/.exec(keys)?.[1] ?? 'there must be one';
    const affinity = readFileSync(join(world.data, 'affinity.key'), 'utf8').trim();
    for (const [name, text] of parts)
      for (const secret of [...Object.values(SECRETS), world.token, key, affinity])
        expect(text.includes(secret), `${secret} is in ${name}`).toBe(false);
  };

  const made = await runCli(world, ['debug', 'bundle', file]);
  expect(made).toMatchObject({ code: 0, stdout: `${file}\n` });
  expect(made.stderr).not.toContain('without ');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const whole = unpacked(file);
  clean(whole);
  for (const name of [
    'status.json',
    'resources/services.json',
    'resources/versions/echo.json',
    'events.ndjson',
    'metrics.txt',
    'timeseries.json',
    'doctor.json',
    'machine.json',
    'gateways/gateway-1/cds.json',
    'logs/control-plane.log',
    'logs/envoy.log',
    'data-folder.txt',
  ])
    expect(whole.get(name)?.length, name).toBeGreaterThan(0);
  expect(whole.get('resources/services.json')).toContain('"fromEnv": "OPERATORS_SECRET"');
  expect(whole.get('logs/control-plane.log')).toContain('the control plane answers');
  const agent = [...whole].find(([name]) => name.startsWith('logs/agents/talkative'))?.[1];
  expect(agent).toContain('I know [redacted]');
  expect(agent).toContain('token=[redacted]&x=1');
  expect(JSON.parse(whole.get('bundle.json') ?? '')).toMatchObject({ missing: [] });

  const before = readFileSync(file);
  const again = await runCli(world, ['debug', 'bundle', file]);
  expect(again).toMatchObject({ code: 5 });
  expect(again.stderr).toContain('--force');
  expect(readFileSync(file).equals(before)).toBe(true);

  await world.killControlPlane();
  const down = await runCli(world, ['debug', 'bundle', file, '--force']);
  expect(down).toMatchObject({ code: 0 });
  expect(down.stderr).toContain('without everything that the control plane tells');
  const rest = unpacked(file);
  clean(rest);
  expect([...rest.keys()].filter((name) => name.startsWith('logs/agents/echo'))).not.toHaveLength(0);
  expect(rest.get('doctor.json')).toContain('control plane');
  expect((JSON.parse(rest.get('bundle.json') ?? '') as { missing: unknown[] }).missing).toHaveLength(1);

  // What a dead agent knew nobody can tell now: its log stays here.
  const [id = ''] = readdirSync(join(world.data, 'instances')).filter((name) => name.startsWith('talkative'));
  const record = readFileSync(join(world.data, 'instances', id, 'process.json'), 'utf8');
  process.kill(-(JSON.parse(record) as { process: { pid: number } }).process.pid, 'SIGKILL');
  const dead = await runCli(world, ['debug', 'bundle', file, '--force']);
  expect(dead.stderr).toContain(
    `without logs/agents/${id}.stdout.log: the secrets that ${id} may tell can not be known`,
  );
  clean(unpacked(file));
  expect(readdirSync(world.folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  await world.startControlPlane();
});

it('apply --prune deletes what is no longer in the files, after it has said so, and leaves everything else', async () => {
  const folder = join(world.folder, 'team-a');
  mkdirSync(folder);
  const write = (name: string, document: object): void => {
    writeFileSync(join(folder, `${name}.yaml`), JSON.stringify(document));
  };
  write('one', echoService('one'));
  write('two', echoService('two'));
  write('route', {
    kind: 'Route',
    name: 'to-two',
    spec: { match: { path: { prefix: '/two' } }, target: { service: 'two' } },
  });
  const apply = async (...args: string[]): Promise<CliResult> => runCli(world, ['apply', '-f', folder, ...args]);
  expect(await apply('--prune')).toMatchObject({ code: 2, stderr: expect.stringContaining('needs --set') as string });
  expect(await apply('--set', 'team-a', '--prune')).toMatchObject({ code: 0 });
  await world.ready('two', 1);
  const session = await world.open('two');
  await world.until('the session is known', async () => (await world.client.service('two')).status.sessions === 1);

  for (const name of ['two', 'route']) rmSync(join(folder, `${name}.yaml`));
  const dry = await apply('--set', 'team-a', '--prune', '--dry-run');
  expect(dry.stdout).toBe(
    'service/one unchanged (dry run)\nroute/to-two deleted (dry run)\nservice/two deleted (dry run)\n',
  );
  expect(dry.stderr).toMatch(/1 instance will go; 1 open session may go on until/);
  const unasked = await apply('--set', 'team-a', '--prune');
  expect(unasked).toMatchObject({ code: 2, stdout: '' });
  expect(unasked.stderr).toContain(
    'route/to-two, service/two are not in the files any more and will be deleted; 1 instance will go',
  );
  expect(await apply('--set', 'team-b')).toMatchObject({ code: 5 });
  expect((await world.client.service('two')).set).toBe('team-a');

  const asked = inTerminal(`apply -f team-a --set team-a --prune`);
  await world.until('it asks', async () => Promise.resolve(asked.said.out.includes('Go on? [y/N]')));
  asked.child.stdin.write('n\r');
  expect(await asked.ended).toBe(1);
  expect((await world.client.services()).items.map(({ name }) => name)).toContain('two');

  expect((await apply('--set', 'team-a', '--prune', '--yes')).stdout).toContain('service/two deleted');
  const left = (await world.client.services()).items.map(({ name }) => name);
  expect(left).not.toContain('two');
  for (const name of ['one', 'echo', 'idle']) expect(left).toContain(name);
  // Its instance drains: the open session goes on.
  expect(await session.ask('still there')).toBe('still there');
  await session.close();
});
