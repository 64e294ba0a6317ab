/** What the loss or the hang of one of five instances costs: those that were on it, and those that come meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openSession } from '../support/sessions.ts';
import { echoService, startWorld } from '../support/world.ts';
import { bounded, quantile, type Figure } from './figure.ts';

async function timed(url: string): Promise<{ ms: number; instance: string }> {
  const begin = performance.now();
  const session = await openSession(url);
  const ms = performance.now() - begin;
  session.socket.close();
  return { ms, instance: session.greeting.instance };
}

/** kill -9 of one of five under many sessions, all of which come back at once. */
async function killed(sessions: number): Promise<Figure[]> {
  await using world = await startWorld({ seed: [echoService('fleet', { replicas: 5, probe: { type: 'websocket' } })] });
  const url = world.url('fleet');
  const crowd = await world.crowd('fleet', sessions, 5_000);
  const victim = crowd.sessions[0]?.greeting;
  const theirs = crowd.sessions.filter((session) => session.greeting.instance === victim?.instance);
  const back: Promise<number>[] = theirs.map(async (session) => {
    await session.closed;
    const begin = performance.now();
    const again = await openSession(url);
    const ms = performance.now() - begin;
    again.socket.terminate();
    return ms;
  });
  let failed = 0;
  let others = 0;
  const over = new AbortController();
  const newcomers = (async () => {
    while (!over.signal.aborted) {
      others += 1;
      await timed(url).catch(() => (failed += 1));
      await sleep(5);
    }
  })();
  process.kill(victim?.pid ?? 0, 'SIGKILL');
  const times = await Promise.all(back);
  await sleep(1_000);
  over.abort();
  await newcomers;
  for (const { socket } of crowd.sessions) socket.terminate();
  return [
    bounded(
      `kill -9 of 1 of 5 under ${sessions} sessions: ${times.length} come back, p99`,
      'ms',
      quantile(times, 0.99),
      times,
      1_000,
    ),
    bounded(`failed of ${others} other connects meanwhile`, '', failed, [failed], 0),
  ];
}

/** SIGSTOP of one of five; new connections come all the time. */
async function hung(): Promise<Figure[]> {
  const waits: number[] = [];
  const found: number[] = [];
  let late = 0;
  for (let round = 0; round < 3; round += 1) {
    await using world = await startWorld({
      seed: [echoService('fleet', { replicas: 5, probe: { type: 'websocket' } })],
    });
    const { agents } = await world.status();
    const victim = agents[0];
    process.kill(victim?.pid ?? 0, 'SIGSTOP');
    const begin = performance.now();
    let seenAt: number | undefined;
    while (performance.now() - begin < 6_000) {
      const { ms, instance } = await timed(world.url('fleet'));
      waits.push(ms);
      if (performance.now() - begin > 3_000 && instance === victim?.instance) late += 1;
      if (seenAt === undefined) {
        const { verdict } = await world.client.health(victim?.instance ?? '');
        if (verdict === 'unhealthy') seenAt = performance.now() - begin;
      }
      await sleep(10);
    }
    found.push(seenAt ?? NaN);
  }
  return [
    bounded('SIGSTOP of 1 of 5: slowest new connection', 'ms', Math.max(...waits), waits, 1_500),
    bounded('SIGSTOP of 1 of 5: found', 'ms', Math.max(...found), found, 3_000),
    bounded('sessions placed on it after 3 s', '', late, [late], 0),
  ];
}

export async function failover(quick: boolean): Promise<Figure[]> {
  return [...(await killed(quick ? 200 : 1_000)), ...(await hung())];
}
