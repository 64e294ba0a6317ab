/** A storm: an instance dies, and all who were on it come back at once. They are let in at the pace that it can bear, and all are in soon. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { upgrade } from '../support/upgrade.ts';
import { echoService, startWorld } from '../support/world.ts';

const CLIENTS = 150;
const PER_SECOND = 25;
const BURST = 25;
/** All ways to a service have one pace. */
const PATHS = [
  '/agents/chat',
  '/ws?service=chat',
  '/chat',
  '/part',
  '/ws?tag=talk',
  '/ws?service=chat&routing_hint=random',
];
/** Nobody who does as he is told asks more often. */
const MOST_TRIES = 40;

const REASONS = new Map([
  [429, ['too_many_new_sessions']],
  [503, ['no_instance', 'instances_unreachable']],
]);

it('those who come back at once are let in at the pace that is set; told when to come again, all are in soon', async () => {
  const restart = { initialBackoff: '100ms', maxBackoff: '200ms' };
  const seed = [echoService('chat', { restart, tags: { talk: '' }, gateway: { hints: ['random'] } })];
  await using world = await startWorld({ name: 'storm', seed });
  const route = (name: string, target: object = { service: 'chat' }): object => ({
    kind: 'Route',
    name,
    spec: { match: { path: { exact: `/${name}` } }, target },
  });
  const split = { split: [{ service: 'chat', weight: 1 }] };
  await world.client.apply([route('chat'), route('part', split)], { wait: true });
  const crowd = await world.crowd('chat', CLIENTS, 60_000);
  const { port } = (await world.status()).gateway;
  const limits = { newPerInstance: { perSecond: PER_SECOND, burst: BURST } };
  await world.client.patchService('chat', { spec: { gateway: { limits } } }, { wait: true });

  const begin = performance.now();
  /** When each request was let through to the instances, whether one was there or not, in milliseconds since then. */
  const passed: number[] = [];
  let inside = 0;
  const waits = new Map<number, number>();
  const statuses = new Map<number, number>();

  async function comeBack(path: string): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const answer = await upgrade(port, path);
      if (answer.status !== 429) passed.push(performance.now() - begin);
      if (answer.status === 101) {
        inside += 1;
        return;
      }
      const told = JSON.parse(answer.body) as { status: number; code: string; message: string };
      expect(REASONS.get(answer.status) ?? `nothing for ${answer.status}`).toContain(told.code);
      expect(told).toMatchObject({ status: answer.status, message: expect.stringMatching(/./) as string });
      const seconds = Number(answer.headers['retry-after']);
      expect([1, 2, 3, 4, 5, 6, 7, 8]).toContain(seconds);
      waits.set(seconds, (waits.get(seconds) ?? 0) + 1);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      await sleep(seconds * 1_000);
    }
    throw new Error(`was turned away ${MOST_TRIES} times`);
  }

  const back = crowd.sessions.map(async (session, index) => {
    await session.closed;
    await comeBack(PATHS[index % PATHS.length] ?? '');
  });
  process.kill(crowd.sessions[0]?.greeting.pid ?? 0, 'SIGKILL');
  // What is changed meanwhile lets in no more.
  await sleep(1_000);
  await world.client.apply([route('other')], { wait: true });
  await Promise.all(back);

  expect(inside).toBe(CLIENTS);
  // Never more than the pace allows: what a client sees comes later than Envoy's decision, so this holds however slow the machine is.
  const tooMany = passed.filter((at, index) => index + 1 > BURST + (PER_SECOND * (at + 100)) / 1_000);
  expect(tooMany).toEqual([]);
  // They were turned away, and told different times.
  expect(statuses.get(429)).toBeGreaterThan(CLIENTS / 2);
  expect(waits.size).toBeGreaterThan(4);
});
