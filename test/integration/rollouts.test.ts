/** New versions behind the real Envoy: every strategy, what takes itself back, and a control plane that is killed in the middle of it. */
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { rolloutIs } from '../support/rollout.ts';
import { openSession } from '../support/sessions.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

type Document = Record<string, unknown>;

function weather(mark: string, rollout: Document, args: readonly string[] = [], spec: Document = {}): Document {
  return echoService(
    'weather',
    { replicas: 2, rollout, restart: { maxFailures: 2, initialBackoff: '100ms' }, ...spec },
    ['--mark', mark, ...args],
  );
}

const until = async (world: World, phase: string): Promise<void> => rolloutIs(world, 'weather', phase, 40_000);

/** Opens sessions one after another and counts whose agents answer. */
async function marks(world: World, count: number, headers: Record<string, string> = {}): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  for (let n = 0; n < count; n += 1) {
    const session = await openSession(world.url('weather'), { headers });
    seen.set(session.greeting.mark, (seen.get(session.greeting.mark) ?? 0) + 1);
    await session.close();
  }
  return seen;
}

/** Asks for a session and is gone before it can have been answered. */
function leaveInHandshake(this: Socket): void {
  this.on('error', () => undefined);
  this.end(
    'GET /agents/weather HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: c3dpdGNoYm9hcmQtdGVzdA==\r\n\r\n',
    () => this.destroy(),
  );
}

const canary = {
  strategy: 'canary',
  steps: [{ weight: 50, pause: 'manual' }],
  analysis: { interval: '1s', minSample: 10 },
};

describe('a new version', () => {
  it('rolls: no session is cut, and all new ones come to it', async () => {
    await using world = await startWorld({ seed: [weather('one', { strategy: 'rolling' })] });
    const crowd = await world.crowd('weather', 60);
    await world.client.apply([weather('two', { strategy: 'rolling' })]);
    await until(world, 'completed');
    await world.acked();
    expect([...(await marks(world, 10)).keys()]).toEqual(['two']);
    // Of the old one it is known when it will be empty: at the latest when its drain ends.
    const [old, fresh] = (await world.client.rollout('weather')).versions;
    expect(fresh).toMatchObject({ receiving: true, estimateMs: null });
    expect(old).toMatchObject({ receiving: false });
    expect(old?.sessions).toBeGreaterThan(0);
    expect(old?.estimateMs).toBeLessThanOrEqual(3_600_000);
    const told = await runCli(world, ['rollout', 'status', 'weather']);
    expect(told.stdout).toMatch(/1 +(-|by instance|0 %) +\d\/\d +\d +\d+ +about \d+[smh]\n/);
    expect(told.stdout).toContain('version 1 gets no new sessions; by the');
    expect(await crowd.settle()).toMatchObject({ lost: 0, cut: 0 });
    await crowd.close();
  });

  it('is a canary: has its share of new sessions, is reached by name, waits, and is promoted; old sessions stay', async () => {
    await using world = await startWorld({ seed: [weather('one', canary)] });
    const crowd = await world.crowd('weather', 20);
    await world.client.apply([weather('two', canary)]);
    await until(world, 'paused');
    await world.acked();
    const shared = await marks(world, 60);
    expect(shared.get('one')).toBeGreaterThan(10);
    expect(shared.get('two')).toBeGreaterThan(10);
    expect([...(await marks(world, 8, { 'x-agent-version': '2' })).keys()]).toEqual(['two']);
    expect([...(await marks(world, 8, { 'x-agent-version': '1' })).keys()]).toEqual(['one']);
    const { destinations } = await world.client.explain({ path: '/agents/weather', header: ['x-agent-version: 2'] });
    expect(destinations[0]?.candidates.filter((one) => one.eligible).map((one) => one.share)).toEqual([1]);
    const view = await world.client.rollout('weather');
    expect(view).toMatchObject({ reason: 'AwaitsPromotion', weight: 50 });
    expect(view.versions.map(({ number, weight }) => [number, weight])).toEqual([
      [1, 50],
      [2, 50],
    ]);
    await world.client.steerRollout('weather', 'promote', { expectRevision: view.revision });
    await until(world, 'completed');
    await world.acked();
    expect([...(await marks(world, 10)).keys()]).toEqual(['two']);
    expect(await crowd.settle()).toMatchObject({ lost: 0, cut: 0 });
    await crowd.close();
  });

  it('keeps one client at one version', async () => {
    await using world = await startWorld({ seed: [weather('one', canary)] });
    await world.client.apply([weather('two', canary)]);
    await until(world, 'paused');
    await world.acked();
    const first = await openSession(world.url('weather'));
    const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
    expect(cookie).toMatch(/^switchboard-version-weather=/);
    const again = await marks(world, 12, { cookie });
    expect([...again.keys()]).toEqual([first.greeting.mark]);
    await first.close();
  });

  it.concurrent('takes itself back when it fails more than the old one, and keeps the figures', async () => {
    await using world = await startWorld({ seed: [weather('one', canary)] });
    await world.client.apply([weather('two', canary, ['--refuse', '0.5'])]);
    await until(world, 'paused');
    await world.acked();
    let failed = 0;
    await world.until(
      'the rollout is aborted',
      async () => {
        await Promise.all(
          Array.from({ length: 10 }, async () =>
            openSession(world.url('weather')).then(
              async (session) => session.close(),
              () => {
                failed += 1;
              },
            ),
          ),
        );
        return (await world.client.rollout('weather')).phase === 'aborted';
      },
      50_000,
    );
    expect(failed).toBeGreaterThan(0);
    const { reason, message, measurements } = await world.client.rollout('weather');
    expect(reason).toBe('AnalysisFailed');
    expect(message).toMatch(/connect-success: \d+ of \d+ .* failed on version 2/);
    expect(measurements.some((one) => one.verdict === 'fail')).toBe(true);
    await world.acked();
    expect([...(await marks(world, 20)).keys()]).toEqual(['one']);
  });

  it.concurrent(
    'takes itself back when its agents turn everybody away, not for clients that any version turns away or that leave',
    async () => {
      const strict = ['--refuse', '0.3', '--refuse-with', '401'];
      await using world = await startWorld({ seed: [weather('one', canary, strict)] });
      const come = async (): Promise<void> => {
        const clients = Array.from({ length: 10 }, async () =>
          openSession(world.url('weather')).then(
            async (session) => session.close(),
            () => undefined,
          ),
        );
        await Promise.all(clients);
      };
      const readings = async (metric: string) => {
        const { measurements } = await world.client.rollout('weather');
        return measurements.filter((one) => one.metric === metric);
      };
      await world.client.apply([weather('two', canary, strict)]);
      await until(world, 'paused');
      await world.acked();
      await world.until(
        'it has passed',
        async () => {
          await come();
          const port = Number(new URL(world.url('weather')).port);
          for (let n = 0; n < 5; n += 1) connect(port, '127.0.0.1', leaveInHandshake);
          const last = (await readings('turned-away')).at(-1);
          return last?.verdict === 'pass' && / of \d\d+ .*version 2, [1-9]/.test(last.message);
        },
        50_000,
      );
      expect(await world.client.rollout('weather')).toMatchObject({ phase: 'paused' });
      expect((await readings('connect-success')).at(-1)?.message).toMatch(/^0 of/);

      await world.client.apply([weather('three', canary, ['--refuse', '1', '--refuse-with', '401'])]);
      await world.until(
        'the rollout is aborted',
        async () => {
          await come();
          return (await world.client.rollout('weather')).phase === 'aborted';
        },
        50_000,
      );
      const { reason, message, to } = await world.client.rollout('weather');
      expect({ reason, to }).toEqual({ reason: 'AnalysisFailed', to: 3 });
      expect(message).toMatch(/turned-away: (\d+) of \1 \(100.0 %\) clients were turned away on version 3/);
    },
  );

  it('that never gets ready or crashes is taken back, and what runs goes on', async () => {
    await using world = await startWorld({ seed: [weather('one', { strategy: 'rolling' })] });
    const crowd = await world.crowd('weather', 10);
    await world.client.apply([weather('two', { strategy: 'rolling' }, ['--fail'])]);
    await until(world, 'aborted');
    const { reason, message } = await world.client.rollout('weather');
    expect(reason).toBe('CrashLoop');
    expect(message).toMatch(/version 2 .*exit code 3.*version 1 takes all new sessions again/);
    await world.ready('weather', 2);
    expect([...(await marks(world, 6)).keys()]).toEqual(['one']);
    expect(await crowd.settle()).toMatchObject({ lost: 0, cut: 0 });
    await crowd.close();
    // A second try of the same ends the same; what ran before is one step away.
    await world.client.undo('weather', 1);
    expect((await world.client.service('weather')).version).toBe(1);
  });

  it('switches blue to green at once, by hand, and back', async () => {
    const strategy = { strategy: 'blue-green', autoPromote: false, keepOld: '10m' };
    await using world = await startWorld({ seed: [weather('blue', strategy)] });
    await world.client.apply([weather('green', strategy)]);
    await until(world, 'paused');
    await world.acked();
    expect([...(await marks(world, 8)).keys()]).toEqual(['blue']);
    await world.client.steerRollout('weather', 'promote');
    await world.until('green has all', async () => (await world.client.rollout('weather')).weight === 100);
    await world.acked();
    expect([...(await marks(world, 8)).keys()]).toEqual(['green']);
    await world.client.steerRollout('weather', 'abort');
    await world.acked();
    expect([...(await marks(world, 8)).keys()]).toEqual(['blue']);
  });

  it('recreates: the old one is gone before the new one starts', async () => {
    const strategy = { strategy: 'recreate' };
    await using world = await startWorld({ seed: [weather('one', strategy)] });
    await world.client.apply([weather('two', strategy)]);
    await world.until('old ones are leaving', async () => {
      const { items } = await world.client.instances({ service: 'weather' });
      return (
        items.every((one) => one.version === 2) || items.every((one) => one.version === 1 && one.drain !== undefined)
      );
    });
    await until(world, 'completed');
    await world.acked();
    expect([...(await marks(world, 6)).keys()]).toEqual(['two']);
  });

  it('goes on where it was after kill -9: same version, same weight, nothing started twice', async () => {
    await using world = await startWorld({ seed: [weather('one', canary)] });
    const crowd = await world.crowd('weather', 20);
    await world.client.apply([weather('two', canary, ['--slow', '1500'])]);
    await world.killControlPlane();
    await world.startControlPlane();
    await until(world, 'paused');
    const pids = async (): Promise<(number | undefined)[]> =>
      (await world.client.instances({ service: 'weather' })).items.map((one) => one.process?.pid).sort();
    const before = await pids();
    expect(before).toHaveLength(3);
    await world.killControlPlane();
    await world.startControlPlane();
    expect(await world.client.rollout('weather')).toMatchObject({ phase: 'paused', weight: 50, from: 1, to: 2 });
    expect(await pids()).toEqual(before);
    await world.acked();
    const shared = await marks(world, 30);
    expect([...shared.keys()].sort()).toEqual(['one', 'two']);
    await world.client.steerRollout('weather', 'promote-full');
    await world.killControlPlane();
    await world.startControlPlane();
    await until(world, 'completed');
    await world.acked();
    expect([...(await marks(world, 6)).keys()]).toEqual(['two']);
    expect(await crowd.settle()).toMatchObject({ lost: 0, cut: 0 });
    await crowd.close();
  });
});
