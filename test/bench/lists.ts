/** Lists, watches and `top` at 1,000 instances and 1,000 sessions: how long answers take, and what whoever watches costs. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repository, startWorld, type World } from '../support/world.ts';
import { bounded, quantile, type Figure } from './figure.ts';
import { cpuOf } from './load.ts';
import { startEchoAgent } from './processes.ts';

const [SERVICES, EACH, SESSIONS] = [100, 10, 1_000];
const WATCHERS = 10;

/** All addresses are one agent's. */
const service = (number: number, port: number): Record<string, unknown> => ({
  kind: 'Service',
  name: `service-${String(number).padStart(3, '0')}`,
  spec: {
    runtime: 'external',
    addresses: Array.from({ length: EACH }, (_, n) => ({ host: `127.1.${number}.${n + 1}`, port })),
    probe: { type: 'tcp', interval: '20s' },
    gateway: { healthCheck: { type: 'off' } },
  },
});

async function lists(world: World, rounds: number): Promise<Figure[]> {
  const asks: Record<string, () => Promise<{ items: readonly unknown[] }>> = {
    'all 100 services': async () => world.client.services(),
    'all 1,000 instances': async () => world.client.instances(),
    '50 of 1,000 instances': async () => world.client.instances({ limit: 50 }),
    'three fields of 1,000 instances': async () => world.client.instances({ fields: 'id,state,sessions' }),
    '1,000 sessions': async () => world.client.sessions({ limit: SESSIONS }),
    '100 events': async () => world.client.events({ limit: 100 }),
  };
  const figures: Figure[] = [];
  for (const [what, ask] of Object.entries(asks)) {
    const took: number[] = [];
    for (let round = -5; round < rounds; round += 1) {
      const begin = performance.now();
      const { items } = await ask();
      if (items.length === 0) throw new Error(`there are no ${what}`);
      if (round >= 0) took.push(performance.now() - begin);
      await sleep(5);
    }
    figures.push(bounded(`list of ${what}, p99 over HTTP with its reading`, 'ms', quantile(took, 0.99), took, 50));
  }
  return figures;
}

/** Percent of a core that a process takes over the next `ms`. */
async function share(pid: number, ms: number): Promise<number> {
  const [begin, before] = [performance.now(), cpuOf(pid)];
  await sleep(ms);
  return (100 * (cpuOf(pid) - before)) / (performance.now() - begin);
}

/** What the control plane takes while services, instances and sessions are watched, each ten times, beyond what it takes without. */
async function watches(world: World, pid: number, ms: number): Promise<Figure> {
  const alone = await share(pid, ms);
  const stop = new AbortController();
  let told = 0;
  const read = async (stream: AsyncIterable<unknown>): Promise<void> => {
    try {
      for await (const one of stream) told += one === undefined ? 0 : 1;
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
  };
  const all = Array.from({ length: WATCHERS }, () => [
    read(world.client.watch('services', {}, stop.signal)),
    read(world.client.watch('instances', {}, stop.signal)),
    read(world.client.live(stop.signal)),
  ]).flat();
  await sleep(3_000);
  const watched = await share(pid, ms);
  stop.abort();
  await Promise.all(all);
  if (told < WATCHERS * (SERVICES + SERVICES * EACH)) throw new Error(`only ${told} were told`);
  const more = watched - alone;
  return bounded(
    `${3 * WATCHERS} watches of 1,000 instances, nothing changes: beyond none`,
    '% of a core',
    more,
    [more],
    2,
  );
}

/** The program in a terminal of its own, and what it costs whom it asks. */
async function top(world: World, pid: number, ms: number): Promise<Figure[]> {
  const alone = await share(pid, ms);
  const main = join(repository, 'control-plane/src/cli/main.ts');
  const command = `stty rows 50 cols 160; echo $$ >'${world.folder}/top.pid'; exec '${process.execPath}' '${main}' top --instances`;
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    cwd: world.folder,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], SWITCHBOARD_DATA: world.data, TERM: 'xterm', SHELL: '/bin/sh' },
  });
  let out = '';
  child.stdout.on('data', (part: Buffer) => (out = (out + part.toString()).slice(-100_000)));
  const own = await world.until('top shows instances', async () => {
    return out.includes('service-0') && Number(readFileSync(join(world.folder, 'top.pid'), 'utf8'));
  });
  await sleep(3_000);
  const [program, asked] = await Promise.all([share(own, ms), share(pid, ms)]);
  child.stdin.write('q');
  await new Promise((resolve) => child.once('close', resolve));
  return [
    bounded('switchboard top --instances, each second, at 1,000 instances', '% of a core', program, [program], 10),
    bounded('what it costs the control plane', '% of a core', asked - alone, [asked - alone], 10),
  ];
}

export async function listing(quick: boolean): Promise<Figure[]> {
  const agent = await startEchoAgent('0.0.0.0');
  try {
    const seed = Array.from({ length: SERVICES }, (_, number) => service(number, agent.port));
    await using world = await startWorld({ seed, waitReady: false });
    await world.until(
      'all are ready',
      async () => {
        const { items } = await world.client.instances({ fields: 'state' });
        return items.length === SERVICES * EACH && items.every(({ state }) => state === 'ready');
      },
      90_000,
    );
    await world.acked();
    const crowds = [];
    for (let n = 0; n < SERVICES; n += 1)
      crowds.push(await world.crowd(`service-${String(n).padStart(3, '0')}`, SESSIONS / SERVICES, 60_000));
    await sleep(5_000);
    const { pid } = (await world.status()).controlPlane;
    const ms = quick ? 8_000 : 20_000;
    const figures = [
      ...(await lists(world, quick ? 100 : 400)),
      await watches(world, pid, ms),
      ...(await top(world, pid, ms)),
    ];
    for (const { sessions } of crowds) for (const { socket } of sessions) socket.terminate();
    return figures;
  } finally {
    agent.stop();
  }
}
