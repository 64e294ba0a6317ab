/** Envoy is replaced while it serves: no connect fails, no session ends, and what the old one has open is served until its end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { freePort } from '../../control-plane/src/home/free-port.ts';
import { identify } from '../../envoy/src/identity.ts';
import { openSession, type OpenSession } from '../support/sessions.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

const isAlive = (pid: number | null): boolean => pid !== null && identify(pid) !== undefined;

/** Connects again and again, each session used once. */
function knocking(world: World) {
  const failures: string[] = [];
  let done = 0;
  let over = false;
  const clients = Array.from({ length: 8 }, async () => {
    while (!over) {
      try {
        const session = await openSession(world.url('chat'));
        expect(await session.ask('x')).toBe('x');
        await session.close();
        done += 1;
      } catch (error) {
        failures.push(`${new Date().toISOString()} ${String(error)}`);
      }
    }
  });
  return {
    async stop() {
      over = true;
      await Promise.all(clients);
      return { failures, done };
    },
  };
}

it('takes over without a gap, again and again, also over restarts of the control plane', async () => {
  await using world = await startWorld({ name: 'restart', seed: [echoService('chat', { replicas: 2 })] });
  const first = (await world.status()).envoy.pid;
  const crowd = await world.crowd('chat', 20, 50);
  const knocks = knocking(world);
  await sleep(300);
  const hasty = await world.client.restartGateway('gateway-1', '1h', { dryRun: true });
  expect(Date.parse(hasty.until ?? '') - Date.now()).toBeGreaterThan(3_500_000);
  expect(await world.client.restartGateway('gateway-1', undefined, { dryRun: true })).toMatchObject({
    dryRun: true,
    from: first,
    to: null,
  });
  const done = await world.client.restartGateway('gateway-1');
  expect(done).toMatchObject({ from: first, until: null });
  expect(done.sessions).toBeGreaterThanOrEqual(20);
  const second = (await world.status()).envoy;
  expect(second).toMatchObject({ state: 'running', pid: done.to, restarts: 0, former: { pid: first, until: null } });
  // Changes reach the new one.
  await world.client.patchService('chat', { spec: { gateway: { handshakeTimeout: '9s' } } }, { wait: true });
  await expect(world.client.restartGateway('gateway-1')).rejects.toThrow(/still serves sessions, until they end/);
  await sleep(500);

  await world.killControlPlane();
  await sleep(300);
  await world.startControlPlane();
  expect((await world.status()).envoy).toMatchObject({ pid: done.to, adopted: true, former: { pid: first } });
  expect(crowd.cut()).toBe(0);
  const { sent, lost, cut } = await crowd.settle();
  expect([sent > 200, lost, cut]).toEqual([true, 0, 0]);
  await crowd.close();
  // Nobody is there any more: it ends by itself, and the next can come.
  await world.until('the old one has gone', async () => (await world.status()).envoy.former === null, 30_000);
  expect(isAlive(first)).toBe(false);

  const third = await world.client.restartGateway('gateway-1');
  await world.until('the second has gone', async () => (await world.status()).envoy.former === null, 30_000);
  const fourth = await world.client.restartGateway('gateway-1');
  expect(new Set([first, done.to, third.to, fourth.to]).size).toBe(4);
  await sleep(500);
  const { failures, done: connects } = await knocks.stop();
  expect(failures).toEqual([]);
  expect(connects).toBeGreaterThan(100);
  await world.until('the table is right', async () => (await world.status()).sessions.open === 0, 40_000);
  const { items } = await world.client.events({ action: 'gateway.restart' });
  expect(items).toHaveLength(3);

  // One that dies by itself is started anew as ever.
  process.kill(fourth.to ?? 0, 'SIGKILL');
  await world.until('it is started again', async () => {
    const { envoy } = await world.status();
    return envoy.state === 'running' && envoy.pid !== fourth.to;
  });
  await world.until('sessions are served', async () => (await openSession(world.url('chat'))).close().then(() => true));
});

it.concurrent(
  'serves on who came in by the port for the PROXY protocol alone, also when it is no setting any more',
  async () => {
    const port = await freePort('127.0.0.1');
    const environment: Record<string, string> = { SWITCHBOARD_GATEWAY_PROXY_PROTOCOL_PORT: String(port) };
    await using world = await startWorld({ name: 'balanced', seed: [echoService('chat')], environment });
    const balanced = async (): Promise<OpenSession> =>
      openSession(`ws://127.0.0.1:${port}/agents/chat`, { first: 'PROXY TCP4 203.0.113.7 10.0.0.1 40000 443\r\n' });
    const replaced = async (by: OpenSession): Promise<void> => {
      const { from } = await world.client.restartGateway('gateway-1');
      // One that seems to serve nobody is ended within less.
      await sleep(5_000);
      expect(await by.ask('here')).toBe('here');
      expect((await world.status()).envoy.former?.pid).toBe(from);
      await by.close();
      await world.until('the old one has gone', async () => (await world.status()).envoy.former === null);
    };
    await replaced(await balanced());
    const kept = await balanced();
    await world.killControlPlane();
    Reflect.deleteProperty(environment, 'SWITCHBOARD_GATEWAY_PROXY_PROTOCOL_PORT');
    await world.startControlPlane();
    await world.until('nobody listens there', async () =>
      balanced().then(
        () => false,
        () => true,
      ),
    );
    await replaced(kept);
  },
);

it.concurrent('ends what is open at the deadline, tells of it, and refuses what can not be', async () => {
  await using world = await startWorld({ name: 'deadline', seed: [echoService('chat')] });
  const crowd = await world.crowd('chat', 5, 100);
  await world.until('they are told of', async () => (await world.status()).sessions.open === 5);
  const { from, until } = await world.client.restartGateway('gateway-1', '3s');
  const kept = await world.open('chat');
  expect(Date.parse(until ?? '')).toBeGreaterThan(Date.now());
  expect(crowd.cut()).toBe(0);
  await world.until('the old one has gone', async () => (await world.status()).envoy.former === null, 20_000);
  expect(isAlive(from)).toBe(false);
  await world.until('they were cut', async () => Promise.resolve(crowd.cut() === 5));
  expect(Date.now()).toBeGreaterThan(Date.parse(until ?? ''));
  await world.until('the table knows', async () => (await world.status()).sessions.open === 1, 30_000);
  expect(await kept.ask('here')).toBe('here');
  await kept.close();
  await expect(world.client.restartGateway('gateway-9')).rejects.toThrow('no gateway gateway-9 is connected');
  await expect(world.client.restartGateway('gateway-1', 'soon')).rejects.toThrow(/deadline/);
});

it.concurrent(
  'a control plane that is killed in the midst of it costs nothing: whoever comes next finds both, or the one',
  async () => {
    await using world = await startWorld({ name: 'midst', seed: [echoService('chat')] });
    const crowd = await world.crowd('chat', 5, 50);
    const knocks = knocking(world);
    const processes = new Set<number | null>();
    for (const afterMs of [120, 180, 240, 300, 400]) {
      void world.client.restartGateway('gateway-1').catch(() => undefined);
      await sleep(afterMs);
      await world.killControlPlane();
      await sleep(200);
      await world.startControlPlane();
      const { pid, former } = (await world.status()).envoy;
      expect([crowd.cut(), isAlive(pid), former === null || isAlive(former.pid)]).toEqual([0, true, true]);
      processes.add(pid);
      // Changes reach the one that takes new connections.
      await world.client.patchService(
        'chat',
        { spec: { gateway: { handshakeTimeout: `${afterMs}s` } } },
        { wait: true },
      );
    }
    const { failures } = await knocks.stop();
    expect(failures).toEqual([]);
    const { lost, cut } = await crowd.settle();
    expect([lost, cut]).toEqual([0, 0]);
    await crowd.close();
    await world.until('the last of them is alone', async () => (await world.status()).envoy.former === null, 30_000);
    const { to } = await world.client.restartGateway('gateway-1');
    expect(processes.has(to)).toBe(false);
  },
);
