/** What goes wrong, and what then: agents that die, hang, loop or grow, Envoy that dies, leases that are lost. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startEchoAgent } from '../bench/processes.ts';
import { echoService, repository, startWorld } from '../support/world.ts';
import { isError } from '../../control-plane/src/model/errors.ts';

const STUBBORN = `trap '' TERM; while true; do sleep 0.2; done`;

it('an agent that is killed costs only its own sessions, and is started again with its reason shown', async () => {
  await using world = await startWorld({ seed: [echoService('weather', { replicas: 2 })] });
  const crowd = await world.crowd('weather', 40);
  const victim = crowd.sessions[0]?.greeting;
  const theirs = crowd.sessions.filter((session) => session.greeting.instance === victim?.instance).length;
  process.kill(victim?.pid ?? 0, 'SIGKILL');
  for (let round = 0; round < 40; round += 1) {
    const session = await world.open('weather');
    expect(session.greeting.pid).not.toBe(victim?.pid);
    await session.close();
  }
  expect(crowd.cut()).toBe(theirs);
  await world.ready('weather', 2);
  const again = await world.client.instance(victim?.instance ?? '');
  expect(again).toMatchObject({ state: 'ready', restarts: 1, lastExit: { signal: 'SIGKILL', code: null } });
  expect(again.process?.pid).not.toBe(victim?.pid);
  const { items } = await world.client.events({ subject: victim?.instance ?? '' });
  expect(items.map((event) => event.message).join('\n')).toContain('ended by SIGKILL');
  await crowd.close();
});

it('an agent that hangs gets no new sessions, and keeps those that it has', async () => {
  await using world = await startWorld({
    seed: [
      echoService('weather', {
        replicas: 2,
        probe: { type: 'websocket', interval: '300ms', timeout: '300ms', failures: 2 },
      }),
    ],
  });
  const session = await world.open('weather');
  process.kill(session.greeting.pid, 'SIGSTOP');
  await world.until(
    'it is found',
    async () => (await world.client.instance(session.greeting.instance)).health?.verdict === 'unhealthy',
  );
  expect((await world.client.service('weather')).status).toMatchObject({ state: 'degraded', ready: 1 });
  for (let round = 0; round < 10; round += 1) {
    const other = await world.open('weather');
    expect(other.greeting.pid).not.toBe(session.greeting.pid);
    await other.close();
  }
  process.kill(session.greeting.pid, 'SIGCONT');
  expect(await session.ask('still there?')).toBe('still there?');
  await world.until('it is well again', async () => (await world.client.service('weather')).status.state === 'ready');
  await session.close();
});

it('an agent that can not live ends in a crash loop with its last words, and a corrected one replaces it', async () => {
  await using world = await startWorld({
    waitReady: false,
    seed: [
      echoService('broken', { restart: { initialBackoff: '50ms', maxBackoff: '100ms', maxFailures: 3 } }, ['--fail']),
    ],
  });
  const failed = await world.until('it gives up', async () =>
    (await world.client.instances({ service: 'broken' })).items.find((one) => one.state === 'failed'),
  );
  expect(failed).toMatchObject({ reason: 'CrashLoop', lastExit: { code: 3 } });
  expect(failed.lastExit?.log.at(-1)).toBe('this agent fails on purpose');
  expect((await world.client.service('broken')).status).toMatchObject({ state: 'failed' });
  await world.client.putService('broken', echoService('broken'));
  await world.ready('broken', 1);
});

it('an agent over its memory limit is replaced, new one first', async () => {
  const launch = (echoService('fat')['spec'] as { launch: { command: string[] } }).launch;
  await using world = await startWorld({
    seed: [
      echoService('fat', {
        launch: { ...launch, command: [...launch.command, '--hog', '150'], memoryLimit: '150MiB' },
      }),
    ],
  });
  const session = await world.open('fat');
  await world.until(
    'it is marked',
    async () =>
      (await world.client.events({ subject: session.greeting.instance })).items.some((event) =>
        event.message.includes('more than its limit'),
      ),
    15_000,
  );
  expect(await session.ask('x')).toBe('x');
  await session.close();
}, 60_000);

it('Envoy that is killed is started again within seconds, and new sessions go on', async () => {
  await using world = await startWorld({ seed: [echoService('weather')] });
  const { envoy } = await world.status();
  const lost = await world.crowd('weather', 3);
  await world.until('they are told of', async () => (await world.status()).sessions.open === 3);
  process.kill(envoy.pid ?? 0, 'SIGKILL');
  await world.until('they have ended', async () => Promise.resolve(lost.cut() === 3));
  await world.until('it is told', async () => {
    const [event] = (await world.client.events({ action: 'gateway.lost' })).items;
    return (
      event?.message === `Envoy (process ${envoy.pid ?? 0}) is started again: it has ended; 3 sessions ended with it`
    );
  });
  const session = await world.until('a session opens', async () => world.open('weather'));
  const after = await world.status();
  expect(after.envoy.pid).not.toBe(envoy.pid);
  expect(after.envoy.restarts).toBe(1);
  await session.close();
});

it.concurrent(
  'Envoy that a signal has stopped is continued with its sessions; one that hangs on is ended, and both are told',
  async () => {
    await using world = await startWorld({ name: 'hang', seed: [echoService('weather')] });
    const { pid } = (await world.status()).envoy;
    const session = await world.open('weather');
    await world.until('it is told of', async () => (await world.status()).sessions.open === 1);
    process.kill(pid ?? 0, 'SIGSTOP');
    expect(await session.ask('still here')).toBe('still here');
    const told = async (action: string): Promise<string[]> =>
      (await world.client.events({ action })).items.map(({ message }) => message);
    await world.until('it answers again', async () => (await told('gateway.hang')).length === 2);
    expect((await told('gateway.hang')).toSorted()).toEqual([
      `Envoy (process ${pid ?? 0}) answers again`,
      `Envoy (process ${pid ?? 0}), with 1 session open: a signal had stopped it (SIGSTOP): it is continued`,
    ]);
    expect((await world.status()).envoy).toMatchObject({ state: 'running', pid, reason: '' });

    // Whatever continues it, it does not go on.
    const hold = setInterval(() => {
      try {
        process.kill(pid ?? 0, 'SIGSTOP');
      } catch {
        // It has been ended.
      }
    }, 20);
    const after = await world
      .until(
        'another serves',
        async () => {
          const { envoy } = await world.status();
          return envoy.state === 'running' && envoy.pid !== pid && envoy;
        },
        40_000,
      )
      .finally(() => {
        clearInterval(hold);
      });
    expect(after.restarts).toBe(1);
    const [lost] = await told('gateway.lost');
    expect(lost).toMatch(/is started again: it did not answer for 12 s.*; 1 session ended with it$/);
    await world.until('a session opens', async () => (await world.open('weather')).close().then(() => true));
  },
);

it.concurrent(
  'an agent that does not end when it is asked to is killed after its grace, and that is told',
  async () => {
    await using world = await startWorld({
      name: 'stubborn',
      waitReady: false,
      seed: [
        echoService('stubborn', {
          drain: { stopGrace: '500ms' },
          launch: { command: ['sh', '-c', STUBBORN, 'sh', '{port}'] },
          probe: { type: 'process' },
        }),
      ],
    });
    await world.until('it runs', async () => (await world.client.instances()).items[0]?.state === 'ready');
    await world.client.deleteService('stubborn');
    await world.until('it has gone', async () => (await world.client.instances()).items.length === 0);
    const messages = (await world.client.events({ action: 'instance.remove' })).items.map(({ message }) => message);
    expect(messages.join()).toContain('has stopped; it had not ended 0.5 s after SIGTERM, and was killed');
  },
);

it.concurrent('an agent that registers itself is reached, kept by heartbeats, and removed when they stop', async () => {
  await using world = await startWorld({
    seed: [
      echoService('host'),
      {
        kind: 'Service',
        name: 'remote',
        spec: { runtime: 'external', probe: { type: 'websocket', interval: '300ms' } },
      },
    ],
  });
  const agent = await startEchoAgent();
  const address = { host: '127.0.0.1', port: agent.port };
  const first = await world.client.register({ service: 'remote', id: 'r-1', address, ttlSeconds: 2 });
  const again = await world.client.register({ service: 'remote', id: 'r-1', address, ttlSeconds: 2 });
  expect(again.instance.id).toBe('r-1');
  const other: unknown = await world.client
    .register({ service: 'remote', id: 'r-2', address })
    .catch((error: unknown) => error);
  expect(isError(other, 'conflict')).toBe(true);
  await world.ready('remote', 1);
  for (let beat = 0; beat < 4; beat += 1) {
    await sleep(700);
    await world.client.heartbeat('r-1', again.token);
  }
  const session = await world.open('remote');
  expect(await session.ask('x')).toBe('x');
  await world.until(
    'the lease is lost',
    async () => (await world.client.instance('r-1')).drain?.reason === 'LeaseLost',
    10_000,
  );
  expect(await session.ask('y')).toBe('y');
  // As long as it is there it may come back.
  await world.client.heartbeat('r-1', again.token);
  expect((await world.client.instance('r-1')).drain).toBeUndefined();
  const stranger: unknown = await world.client.heartbeat('r-1', first.token + 99).catch((error: unknown) => error);
  expect(isError(stranger, 'not_found')).toBe(true);
  await session.close();
  await world.until(
    'it is gone',
    async () => (await world.client.instances({ service: 'remote' })).items.length === 0,
    15_000,
  );
  agent.stop();
});

it('a standstill of the control plane is nobody else’s fault: no agent is lost, found ill or started again for it', async () => {
  const probe = { type: 'websocket', interval: '200ms', timeout: '2s', failures: 1, startTimeout: '4s' };
  await using world = await startWorld({
    seed: [
      { kind: 'Service', name: 'remote', spec: { runtime: 'external', probe } },
      echoService('slow', { enabled: false, probe }, ['--slow', '2500']),
    ],
    waitReady: false,
  });
  using afterwards = new DisposableStack();
  const agent = await startEchoAgent('0.0.0.0');
  afterwards.defer(() => {
    agent.stop();
  });
  const ids = Array.from({ length: 10 }, (_, number) => `r-${number}`);
  const tokens = new Map<string, number>();
  for (const [number, id] of ids.entries()) {
    const address = { host: `127.1.0.${number + 1}`, port: agent.port };
    const { token } = await world.client.register({ service: 'remote', id, address, ttlSeconds: 3 });
    tokens.set(id, token);
  }
  let refused = 0;
  const beats = setInterval(() => {
    for (const [id, token] of tokens)
      world.client.heartbeat(id, token).catch((error: unknown) => {
        // A connection may have been closed as idle meanwhile: the next heartbeat opens another.
        if (isError(error, 'not_found')) refused += 1;
      });
  }, 1_000);
  afterwards.defer(() => {
    clearInterval(beats);
  });
  await world.ready('remote', ids.length);
  const crowd = await world.crowd('remote', 20);
  await world.client.start('slow');
  await world.until(
    'it starts',
    async () => (await world.client.instances({ service: 'slow' })).items[0]?.state === 'starting',
  );

  const { pid } = JSON.parse(readFileSync(join(world.data, 'runtime.json'), 'utf8')) as { pid: number };
  process.kill(pid, 'SIGSTOP');
  await sleep(6_000);
  process.kill(pid, 'SIGCONT');
  await sleep(4_000);
  clearInterval(beats);

  expect(refused).toBe(0);
  const { items } = await world.client.instances({ service: 'remote' });
  expect(items.map(({ id, state, drain }) => [id, state, drain])).toEqual(ids.map((id) => [id, 'ready', undefined]));
  const verdicts = await Promise.all(ids.map(async (id) => (await world.client.health(id)).verdicts));
  expect(verdicts.flat().filter(({ verdict }) => verdict === 'unhealthy')).toEqual([]);
  await world.ready('slow', 1);
  expect((await world.client.instances({ service: 'slow' })).items[0]).toMatchObject({ restarts: 0, failures: [] });
  expect(await crowd.settle()).toMatchObject({ lost: 0, cut: 0 });
  await crowd.close();
});

it('a second control plane on the same data is refused, and so are ports that are taken', async () => {
  await using world = await startWorld({ seed: [echoService('weather')] });
  const { spawnSync } = await import('node:child_process');
  const run = (environment: Record<string, string>): { status: number | null; text: string } => {
    const { status, stderr } = spawnSync(process.execPath, [join(repository, 'control-plane/src/main.ts')], {
      encoding: 'utf8',
      timeout: 10_000,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        SWITCHBOARD_API_PORT: '0',
        SWITCHBOARD_GATEWAY_PORT: '0',
        SWITCHBOARD_XDS_PORT: '0',
        ...environment,
      },
    });
    return { status, text: stderr };
  };
  const second = run({ SWITCHBOARD_DATA: world.data });
  expect(second.status).toBe(1);
  expect(second.text).toMatch(/another control plane \(process \d+\) uses the data folder/);
  const { xds, gateway, api } = await world.status();
  for (const [variable, port] of Object.entries({
    SWITCHBOARD_XDS_PORT: xds.port,
    SWITCHBOARD_GATEWAY_PORT: gateway.port,
    SWITCHBOARD_API_PORT: api.port,
  })) {
    const taken = run({ SWITCHBOARD_DATA: `${world.folder}/other`, [variable]: String(port) });
    expect(taken.status).toBe(1);
    expect(taken.text).toContain(variable);
    // Nothing was started that would stay.
    expect(existsSync(`${world.folder}/other/envoy/envoy.json`)).toBe(false);
  }
  expect(run({ SWITCHBOARD_DATA: `${world.folder}/seed.json/x` }).text).toContain('SWITCHBOARD_DATA');
  expect(run({ SWITCHBOARD_DATA: `${world.folder}/other`, SWITCHBOARD_GATEWAY_PORT: 'ten' }).text).toContain(
    'SWITCHBOARD_GATEWAY_PORT',
  );
  expect(run({ SWITCHBOARD_DATA: `${world.folder}/other`, SWITCHBOARD_SEED: '/no/such.yaml' }).text).toContain(
    'seed: /no/such.yaml is not there',
  );
  expect(run({ SWITCHBOARD_DATA: `${world.folder}/other`, ENVOY_PATH: '/no/such/envoy' }).text).toContain('ENVOY_PATH');
});
