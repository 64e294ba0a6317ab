/** Where new sessions land: policies, limits, refusals, and what `explain` says of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSession, type OpenSession } from '../support/sessions.ts';
import { greeted, upgrade, type UpgradeAnswer } from '../support/upgrade.ts';
import { echoService, repository, startWorld, type World } from '../support/world.ts';

async function port(world: World): Promise<number> {
  return (await world.status()).gateway.port;
}

async function openMany(url: string, count: number): Promise<OpenSession[]> {
  const sessions: OpenSession[] = [];
  while (sessions.length < count)
    sessions.push(...(await Promise.all(Array.from({ length: 20 }, async () => openSession(url)))));
  return sessions;
}

async function closeAll(sessions: readonly OpenSession[]): Promise<void> {
  await Promise.all(sessions.map(async (one) => one.close()));
}

function tally(sessions: readonly OpenSession[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { greeting } of sessions) counts.set(greeting.instance, (counts.get(greeting.instance) ?? 0) + 1);
  return counts;
}

function told(answer: UpgradeAnswer): { status: number; code: string; message: string } {
  return JSON.parse(answer.body) as { status: number; code: string; message: string };
}

it('least connections spreads evenly; sessions per instance are never more than they may be', async () => {
  await using world = await startWorld({ name: 'spread', seed: [echoService('chat', { replicas: 5 })] });
  const sessions = await openMany(world.url('chat'), 500);
  const counts = [...tally(sessions).values()];
  expect(counts.length).toBe(5);
  expect(Math.max(...counts) / Math.min(...counts)).toBeLessThanOrEqual(1.15);
  await closeAll(sessions);
  const open = async (count: number): Promise<void> => {
    await world.until(`${count} sessions are open`, async () => (await world.status()).sessions.open === count);
  };
  await open(0);

  await world.client.patchService(
    'chat',
    { spec: { gateway: { limits: { sessionsPerInstance: 2 } } } },
    { wait: true },
  );
  const at = await port(world);
  const held: OpenSession[] = [];
  let refusal = '';
  while (refusal === '' && held.length < 30) {
    await openSession(world.url('chat')).then(
      async (session) => {
        held.push(session);
        await open(held.length);
      },
      (error: unknown) => {
        refusal = String(error);
      },
    );
  }
  // The count reaches Envoy a moment after a session has opened: one that comes within it may be one too many.
  expect(held.length).toBeGreaterThanOrEqual(10);
  expect(held.length).toBeLessThanOrEqual(15);
  expect(refusal).toContain('refused with 503');
  expect(refusal).toContain('no_instance');
  const full = await upgrade(at, '/agents/chat');
  expect(Number(full.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  // One instance may hold one too many: with nine left, some instance has a place.
  await closeAll(held.splice(9));
  await world.until('a place is free again', async () => (await upgrade(at, '/agents/chat')).status === 101);
  await closeAll(held);

  await world.client.patchService(
    'chat',
    { spec: { gateway: { limits: { sessionsPerInstance: 0 } } } },
    { wait: true },
  );
  await world.until('none may come', async () => (await upgrade(at, '/agents/chat')).status === 503);
});

it('tags, levels, pools and splits lead only where they should, and say so when nobody is there', async () => {
  await using world = await startWorld({
    name: 'tags',
    seed: [
      echoService('gold', { tags: { tier: 'gold' }, replicas: 2 }),
      echoService('plain', { tags: { tier: 'plain' } }),
    ],
  });
  const at = await port(world);
  const route = (name: string, target: unknown, extra: object = {}): object => ({
    kind: 'Route',
    name,
    spec: { match: { path: { exact: `/${name}` }, ...extra }, target },
  });
  const { warnings } = await world.client.apply(
    [
      route('pool', { tags: { tier: 'gold' } }),
      route('nobody', { tags: { tier: 'silver' } }),
      route('half', {
        split: [
          { service: 'gold', weight: 1 },
          { service: 'plain', weight: 1 },
        ],
        sticky: { query: 'u' },
      }),
      route('first', { service: 'gold' }, { headers: [{ name: 'x', prefix: 'a' }] }),
      {
        kind: 'Route',
        name: 'never',
        spec: {
          match: { path: { exact: '/pool' }, headers: [{ name: 'x', equals: 'a' }] },
          priority: -1,
          target: { service: 'plain' },
        },
      },
    ],
    { wait: true },
  );
  expect(warnings.join()).toContain('route never: it is never reached: route pool comes first');
  const shown = (await world.client.routes()).items.find((one) => one.name === 'never');
  expect(shown?.status.conditions.find((one) => one.type === 'Reachable')).toMatchObject({
    status: 'false',
    reason: 'Unreachable',
  });

  const instanceAt = async (path: string): Promise<string> => {
    const answer = await upgrade(at, path);
    return answer.status === 101 ? greeted(answer).instance : String(answer.status);
  };
  const pool = await Promise.all(Array.from({ length: 20 }, async () => instanceAt('/pool')));
  expect(new Set(pool.map((one) => one.split('-')[0]))).toEqual(new Set(['gold']));
  expect(new Set(pool).size).toBe(2);
  expect(told(await upgrade(at, '/nobody'))).toMatchObject({ status: 503, code: 'no_instance' });
  const sides = new Map<string, string>();
  for (let n = 0; n < 60; n += 1) {
    const side = (await instanceAt(`/half?u=u${n % 30}`)).split('-')[0] ?? '';
    expect(sides.get(`u${n % 30}`) ?? side).toBe(side);
    sides.set(`u${n % 30}`, side);
  }
  expect(new Set(sides.values()).size).toBe(2);

  // The policy of one service: its tags first, any other when none of them can; a level never spills over.
  const levels = { type: 'tags', options: { tags: { tier: 'gold' }, otherwise: 'none' } };
  await world.client.patchService('plain', { spec: { gateway: { policy: levels } } }, { wait: true });
  expect(told(await upgrade(at, '/agents/plain'))).toMatchObject({ status: 503, code: 'no_instance' });
  const explained = await world.client.explain({ path: '/agents/plain' });
  expect(explained.outcome).toBe('no instance of plain can take a new session: 503');
  expect(explained.destinations[0]?.candidates[0]?.reason).toBe('it has the tags of no level');
  await world.client.patchService(
    'plain',
    { spec: { gateway: { policy: { options: { otherwise: 'any' } } } } },
    { wait: true },
  );
  expect((await instanceAt('/agents/plain')).split('-')[0]).toBe('plain');

  // Headers beyond what Envoy takes are refused, and all goes on.
  const huge = await upgrade(at, '/agents/gold', { 'x-huge': 'x'.repeat(65_536) }).catch(() => undefined);
  expect(huge?.status).toBe(431);
  expect((await upgrade(at, '/agents/gold')).status).toBe(101);

  // Everything drains: refused at once, with the reason.
  await world.client.stop('plain', { wait: true });
  await world.until('none takes sessions', async () => (await upgrade(at, '/agents/plain')).status === 503);
});

it('the pace of new sessions: what is too much gets 429 with a Retry-After of its own', async () => {
  const limits = { newPerClient: { perSecond: 1, burst: 5 } };
  await using world = await startWorld({ name: 'pace', seed: [echoService('chat', { gateway: { limits } })] });
  const at = await port(world);
  const answers = await Promise.all(
    Array.from({ length: 60 }, async () => upgrade(at, '/agents/chat', {}, '127.0.0.9')),
  );
  const refused = answers.filter((one) => one.status === 429);
  expect(answers.filter((one) => one.status === 101).length).toBeLessThanOrEqual(10);
  expect(refused.length).toBeGreaterThanOrEqual(50);
  expect(JSON.parse(refused[0]?.body ?? '{}')).toMatchObject({ code: 'too_many_new_sessions' });
  expect(new Set(refused.map((one) => one.headers['retry-after'])).size).toBeGreaterThan(3);
  expect((await upgrade(at, '/agents/chat', {}, '127.0.0.8')).status).toBe(101);
});

it('a key of the client’s choice comes back to its instance, and few move when one is added', async () => {
  const gateway = { affinity: { type: 'key' } };
  await using world = await startWorld({ name: 'key', seed: [echoService('chat', { replicas: 4, gateway })] });
  const at = await port(world);
  const where = async (): Promise<string[]> => {
    const all: string[] = [];
    for (let n = 0; n < 200; n += 20)
      all.push(
        ...(await Promise.all(
          Array.from(
            { length: 20 },
            async (_, k) => greeted(await upgrade(at, `/agents/chat?session_id=s${n + k}`)).instance,
          ),
        )),
      );
    return all;
  };
  const first = await where();
  expect(await where()).toEqual(first);
  await world.client.scale('chat', 5);
  await world.ready('chat', 5);
  const second = await where();
  const moved = second.filter((one, index) => one !== first[index]).length;
  // Ideal: a fifth.
  expect(moved).toBeGreaterThan(0);
  expect(moved).toBeLessThanOrEqual(1.5 * 40);
});

it('a user’s policy works as a built-in one, and explain agrees with Envoy on who can be chosen', async () => {
  const policy = { type: 'lowest-port', options: { most: 2 } };
  await using world = await startWorld({
    name: 'plugin',
    environment: { SWITCHBOARD_PLUGINS: join(repository, 'deploy/examples/policies/lowest-port.ts') },
    seed: [echoService('chat', { replicas: 4, gateway: { policy, affinity: { type: 'cookie' } } })],
  });
  const at = await port(world);
  const explained = await world.client.explain({ path: '/agents/chat' });
  const able = explained.destinations[0]?.candidates.filter((one) => one.eligible).map((one) => one.instance) ?? [];
  expect(able.length).toBe(2);
  const chosen = new Set<string>();
  for (let n = 0; n < 40; n += 1) chosen.add(greeted(await upgrade(at, '/agents/chat')).instance);
  expect([...chosen].sort()).toEqual([...able].sort());
  const answer = await world.until('a cookie comes', async () => {
    const one = await upgrade(at, '/agents/chat');
    return one.headers['set-cookie'] === undefined ? undefined : one;
  });
  const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const back = await world.client.explain({ path: '/agents/chat', header: [`Cookie: ${cookie}`] });
  expect(back.destinations[0]?.affinity?.instance).toBe(greeted(answer).instance);
});

it('the example file is valid', async () => {
  await using world = await startWorld({ name: 'example' });
  const text = readFileSync(join(repository, 'deploy/examples/routing.yaml'), 'utf8');
  const result = await world.client.applyText(text, { dryRun: true });
  expect(result.changes.map((one) => `${one.kind} ${one.action}`)).toEqual([
    'Service created',
    'Service created',
    'Route created',
    'Route created',
    'Route created',
  ]);
  expect(result.warnings).toEqual([]);
});
