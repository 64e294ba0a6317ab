/** From `apply` to the first session, beside the agent's own start; and what 300 supervised processes cost an idle control plane. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { echoService, repository, startWorld, type World } from '../support/world.ts';
import { bounded, median, type Figure } from './figure.ts';
import { cpuOf, memoryOf } from './load.ts';
import { freePort } from '../../control-plane/src/home/free-port.ts';

const SERVICES = 100;

/** Until it listens: what no gateway can be quicker than. */
export async function agentStart(): Promise<number> {
  const port = await freePort('127.0.0.1');
  const begin = performance.now();
  const child = spawn(process.execPath, [join(repository, 'test/support/echo-agent.ts'), '--port', String(port)], {
    stdio: 'ignore',
  });
  for (;;) {
    const listens = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => {
        resolve(false);
      });
    });
    if (listens) break;
    await sleep(2);
  }
  const took = performance.now() - begin;
  child.kill('SIGKILL');
  return took;
}

async function firstSession(world: World, name: string): Promise<number> {
  const begin = performance.now();
  await world.client.putService(name, echoService(name));
  for (;;) {
    try {
      await (await world.open(name)).close();
      return performance.now() - begin;
    } catch {
      await sleep(5);
    }
  }
}

/** Processes that cost next to nothing themselves; nobody probes into them. */
const idle = (n: number): object => ({
  kind: 'Service',
  name: `s-${n}`,
  spec: { replicas: 3, launch: { command: ['sleep', '86400'] }, probe: { type: 'process' } },
});

export async function lifecycle(quick: boolean): Promise<Figure[]> {
  const rounds = quick ? 5 : 15;
  const overheads: number[] = [];
  {
    await using world = await startWorld();
    for (let round = 0; round < rounds; round += 1) {
      const own = await agentStart();
      overheads.push((await firstSession(world, `a-${round}`)) - own);
      await world.client.deleteService(`a-${round}`, { now: true });
    }
  }
  await using world = await startWorld({
    seed: Array.from({ length: SERVICES }, (_, n) => idle(n)),
    environment: { SWITCHBOARD_AGENTS_PORTS: '20000-20999' },
    waitReady: false,
  });
  const begin = performance.now();
  await world.until(
    'all are ready',
    async () => (await world.client.instances()).items.filter((one) => one.state === 'ready').length === SERVICES * 3,
    180_000,
  );
  const all = (performance.now() - begin) / 1000;
  const plane = (await world.status()).controlPlane.pid;
  await sleep(5_000);
  const seconds = quick ? 10 : 30;
  const before = cpuOf(plane);
  await sleep(seconds * 1000);
  const cost = (cpuOf(plane) - before) / (seconds * 10);
  return [
    bounded("apply to first session, beyond the agent's own start", 'ms', median(overheads), overheads, 300),
    bounded('300 processes from start to ready', 's', all, [all], 60),
    bounded('control plane idle, 300 processes supervised', '% of a core', cost, [cost], 3),
    bounded(
      'control plane memory, 300 processes supervised',
      'MiB',
      memoryOf(plane) / 1024,
      [memoryOf(plane) / 1024],
      150,
    ),
  ];
}
