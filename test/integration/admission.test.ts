/** Clients that wait: for the first instance of a service that sleeps, or for a place at one that is full. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openSession, type OpenSession } from '../support/sessions.ts';
import { upgrade } from '../support/upgrade.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

const zero = (
  name: string,
  more: Record<string, unknown> = {},
  args: readonly string[] = [],
): Record<string, unknown> =>
  echoService(
    name,
    { replicas: 0, autoscale: { min: 0, max: 3, zero: { idle: '2s', startTimeout: '20s', maxWaiting: 60, ...more } } },
    args,
  );

async function instancesOf(world: World, service: string): Promise<number> {
  return (await world.client.instances({ service })).items.length;
}

async function outcome(url: string): Promise<OpenSession | string> {
  return openSession(url, { handshakeTimeoutMs: 90_000 }).catch((error: unknown) =>
    error instanceof Error ? error.message : String(error),
  );
}

describe('a service that sleeps', () => {
  it('is woken by the first client; fifty wait for one instance; when all have gone it sleeps again', async () => {
    await using world = await startWorld({
      seed: [zero('weather', {}, ['--slow', '400']), zero('finance')],
      waitReady: false,
    });
    await world.acked();
    expect(await instancesOf(world, 'weather')).toBe(0);
    const [both] = await Promise.all([
      Promise.all(Array.from({ length: 50 }, async () => openSession(world.url('weather')))),
      openSession(world.url('finance')).then(async (session) => session.close()),
    ]);
    expect(new Set(both.map((session) => session.greeting.instance)).size).toBe(1);
    expect(await instancesOf(world, 'weather')).toBe(1);
    const { decisions, scale } = await world.client.autoscale('weather');
    expect(scale?.reason).toBe('FromZero');
    expect(decisions.some((one) => one.reason === 'FromZero' && (one.sample.waiting ?? 0) > 0)).toBe(true);
    await sleep(3_000);
    expect(await instancesOf(world, 'weather')).toBe(1);
    await Promise.all(both.map(async (session) => session.close()));
    await world.until('nothing runs', async () => (await instancesOf(world, 'weather')) === 0, 30_000);
    const again = await openSession(world.url('weather'));
    expect(await again.ask('hello')).toBe('hello');
    await again.close();
  });

  it('says why when it can not be woken, and turns away at once who is too many', async () => {
    const seed = [zero('broken', { startTimeout: '3s', maxWaiting: 5 }, ['--fail'])];
    await using world = await startWorld({ seed, waitReady: false });
    await world.acked();
    const all = await Promise.all(Array.from({ length: 12 }, async () => outcome(world.url('broken'))));
    expect(all.every((one) => typeof one === 'string' && one.startsWith('refused with 503'))).toBe(true);
    const told = all.map(String);
    expect(told.filter((one) => one.includes('and 5 wait already'))).toHaveLength(7);
    const late = told.find((one) => one.includes('within 3 s')) ?? '';
    expect(late).toMatch(
      /"code":"not_admitted","message":"no instance of broken got ready .*exit code 3.* within 3 s"/,
    );
  });

  it('lets in those who wait though the control plane is killed meanwhile', async () => {
    await using world = await startWorld({ seed: [zero('weather', {}, ['--slow', '2500'])], waitReady: false });
    await world.acked();
    const waiting = Promise.all(Array.from({ length: 10 }, async () => outcome(world.url('weather'))));
    await world.until('it is being started', async () => (await instancesOf(world, 'weather')) > 0);
    await world.killControlPlane();
    await world.startControlPlane();
    const sessions = await waiting;
    expect(sessions.filter((one) => typeof one === 'string')).toEqual([]);
    expect(await instancesOf(world, 'weather')).toBe(1);
  });
});

/** Held by the control plane at this moment. */
async function waiting(world: World, service: string): Promise<number> {
  const response = await fetch(`${world.client.url}/metrics`, { headers: { authorization: `Bearer ${world.token}` } });
  const line = new RegExp(`^switchboard_clients_waiting\\{service="${service}"\\} (\\d+)$`, 'm');
  return Number(line.exec(await response.text())?.[1] ?? 0);
}

/** Clients that come one after the other, and what each has been told. */
function lineOf(world: World, service: string) {
  const inside: { readonly client: number; readonly session: OpenSession }[] = [];
  const refused: string[] = [];
  const open = new Map<string, number>();
  let most = 0;
  let came = 0;
  return {
    inside,
    refused,
    /** The most sessions that an instance has ever had at once, as the clients saw it. */
    most: () => most,
    comes(): void {
      came += 1;
      const client = came;
      void outcome(world.url(service)).then((one) => {
        if (typeof one === 'string') {
          refused.push(one);
          return;
        }
        const { instance } = one.greeting;
        open.set(instance, (open.get(instance) ?? 0) + 1);
        most = Math.max(most, open.get(instance) ?? 0);
        inside.push({ client, session: one });
      });
    },
    async leaves(index = 0): Promise<void> {
      const [gone] = inside.splice(index, 1);
      if (gone === undefined) throw new Error('nobody is in');
      const { instance } = gone.session.greeting;
      open.set(instance, (open.get(instance) ?? 0) - 1);
      await gone.session.close();
    },
  };
}

describe('a service that is full', () => {
  it('lets in exactly as many as there are places, the first first, and never more than an instance may have', async () => {
    const limits = { sessionsPerInstance: 3, queue: { size: 30, timeout: '60s' } };
    await using world = await startWorld({ seed: [echoService('weather', { replicas: 2, gateway: { limits } })] });
    const line = lineOf(world, 'weather');
    const are = async (inside: number, outside: number): Promise<void> => {
      await world.until(`${inside} are in and ${outside} wait`, async () => {
        const held = await waiting(world, 'weather');
        if (line.inside.length === inside && held === outside) return true;
        throw new Error(`${line.inside.length} are in, ${held} wait, refused: ${line.refused.join()}`);
      });
    };
    for (let n = 0; n < 20; n += 1) line.comes();
    await are(6, 14);
    for (let n = 0; n < 4; n += 1) {
      line.comes();
      await are(6, 15 + n);
    }
    // Several places at once, at one instance or at both.
    let outside = 18;
    for (const gone of [1, 2, 4]) {
      await Promise.all(Array.from({ length: gone }, async () => line.leaves()));
      outside -= gone;
      await are(6, outside);
    }
    // The four who came last were the last to be let in, one after the other.
    for (let left = 11; left > 0; left -= 1) {
      await line.leaves(left % 6);
      await are(6, left - 1);
    }
    expect(line.inside.map(({ client }) => client).slice(-4)).toEqual([21, 22, 23, 24]);
    expect(line.most()).toBe(3);
    expect(line.refused).toEqual([]);
  });

  it('stays full for those who come after a restart of the control plane, and lets in for each who leaves', async () => {
    const limits = { sessionsPerInstance: 2, queue: { size: 5, timeout: '60s' } };
    await using world = await startWorld({ seed: [echoService('weather', { replicas: 2, gateway: { limits } })] });
    const line = lineOf(world, 'weather');
    for (let n = 0; n < 4; n += 1) line.comes();
    await world.until('four are in', async () => Promise.resolve(line.inside.length === 4));
    for (let n = 0; n < 2; n += 1) line.comes();
    await world.until('two wait', async () => (await waiting(world, 'weather')) === 2);
    await world.until('four are told of', async () => (await world.client.sessions()).items.length === 4);
    await sleep(200);
    await world.killControlPlane();
    await world.startControlPlane();
    line.comes();
    await world.until('three wait', async () => (await waiting(world, 'weather')) === 3);
    // What is open was written down: nobody waits until the gateway has told of all sessions again.
    const back = performance.now();
    expect((await world.status()).sessions).toEqual({ open: 4, settled: false });
    await sleep(500);
    expect(line.inside).toHaveLength(4);
    await line.leaves();
    await world.until('one came in', async () => Promise.resolve(line.inside.length === 4));
    const { sessions } = await world.status();
    if (performance.now() - back < 8_000) expect(sessions.settled).toBe(false);
    await sleep(1_000);
    expect([line.inside.length, line.most(), await waiting(world, 'weather'), line.refused]).toEqual([4, 2, 2, []]);
    // Both came before this control plane began, the third after it.
    await line.leaves();
    await world.until('the next came in', async () => Promise.resolve(line.inside.length === 4));
    expect(line.inside.slice(-2).every(({ client }) => client === 5 || client === 6)).toBe(true);

    // Some leave and none is there to be told: their places are given as soon as the gateway has told of all others.
    await world.killControlPlane();
    await Promise.all([line.leaves(), line.leaves()]);
    await world.startControlPlane();
    for (let n = 0; n < 2; n += 1) line.comes();
    await world.until('three came in', async () => Promise.resolve(line.inside.length === 4), 30_000);
    await world.until(
      'the table is exact',
      async () => {
        const { sessions: known } = await world.status();
        return known.settled && known.open === 4;
      },
      30_000,
    );
    expect([line.most(), line.refused]).toEqual([2, []]);
  });

  it('lets its clients wait for a place, for a while', async () => {
    const limits = { sessionsPerInstance: 2, queue: { size: 3, timeout: '4s' } };
    await using world = await startWorld({
      seed: [echoService('weather', { gateway: { limits } }), echoService('plain')],
    });
    const first = await world.until('it takes a session', async () => {
      const one = await outcome(world.url('weather'));
      return typeof one === 'string' ? undefined : one;
    });
    const second = await openSession(world.url('weather'));
    const third = outcome(world.url('weather'));
    await sleep(1_500);
    await second.close();
    const let1 = await third;
    expect(typeof let1 === 'string' ? let1 : 'open').toBe('open');
    expect(await outcome(world.url('weather'))).toMatch(/refused with 503.*no place became free at weather within 4 s/);
    // Who does not ask does not depend on the control plane.
    await world.killControlPlane();
    const plain = await openSession(world.url('plain'));
    expect(await plain.ask('x')).toBe('x');
    expect(await first.ask('y')).toBe('y');
    await plain.close();
  });
});

it('a client may have so many sessions and no more: told with 429, right after some end, and after a restart', async () => {
  const limits = { sessionsPerClient: 3 };
  await using world = await startWorld({ seed: [echoService('chat', { replicas: 2, gateway: { limits } })] });
  const { port } = (await world.status()).gateway;
  const open = async (localAddress: string): Promise<OpenSession> => openSession(world.url('chat'), { localAddress });
  const many = await Promise.allSettled(Array.from({ length: 10 }, async () => open('127.0.0.2')));
  const held = many.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(held).toHaveLength(3);
  const tooMany = async (): Promise<void> => {
    const refused = await Promise.all(
      Array.from({ length: 12 }, async () => upgrade(port, '/agents/chat', {}, '127.0.0.2')),
    );
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([429]));
    expect(JSON.parse(refused[0]?.body ?? '')).toMatchObject({
      status: 429,
      code: 'not_admitted',
      message: '127.0.0.2 has the 3 sessions that a client may have at chat',
    });
    const waits = refused.map(({ headers }) => Number(headers['retry-after']));
    expect(waits.every((seconds) => seconds >= 1 && seconds <= 8)).toBe(true);
    expect(new Set(waits).size).toBeGreaterThan(1);
  };
  await tooMany();
  const other = await open('127.0.0.3');

  for (let n = 0; n < 5; n += 1) {
    await held.shift()?.close();
    held.push(await open('127.0.0.2'));
  }
  await tooMany();

  // Also right after a restart, before the gateway has told of all of them again.
  await world.killControlPlane();
  await world.startControlPlane();
  await tooMany();
  expect((await world.client.sessions()).items.map(({ reason }) => reason)).toEqual(
    Array.from({ length: 4 }, () => expect.stringMatching(/chose chat-/) as string),
  );
  await Promise.all(held.splice(0).map(async (session) => session.close()));
  for (let n = 0; n < 3; n += 1) held.push(await open('127.0.0.2'));
  await tooMany();
  expect(await other.ask('still there?')).toBe('still there?');
  await Promise.all([...held, other].map(async (session) => session.close()));
});
