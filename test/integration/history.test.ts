/** Metrics over time, from real sessions: counted once, by cause, kept over a kill, and followed without a gap. */
import { expect, it } from 'vitest';
import type { HistoryAnswer } from '../../control-plane/src/api/types.ts';
import { isError } from '../../control-plane/src/model/errors.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

function totals(answer: HistoryAnswer, label: string): Record<string, number> {
  return Object.fromEntries(
    answer.series.map(({ labels, values }) => [
      (labels as Record<string, string>)[label] ?? '',
      values.reduce<number>((sum, value) => sum + (value ?? 0), 0),
    ]),
  );
}

async function expectTotals(world: World, metric: string, by: string, expected: Record<string, number>): Promise<void> {
  let last = {};
  await world
    .until(
      `${metric} by ${by} is as expected`,
      async () => {
        last = totals(await world.client.timeseries({ metric, by, stat: 'total', step: '10s' }), by);
        return JSON.stringify(Object.entries(last).sort()) === JSON.stringify(Object.entries(expected).sort());
      },
      60_000,
    )
    .catch(() => {
      expect(last).toEqual(expected);
    });
}

it.concurrent(
  'what happened is counted once, by cause, and outlives a kill',
  async () => {
    await using world = await startWorld({
      seed: [echoService('weather', { restart: { initialBackoff: '60s' } }), echoService('maths')],
    });
    const sessions = [];
    for (let n = 0; n < 3; n += 1) sessions.push(await world.open('weather'));
    const lasting = await world.open('maths');
    await lasting.ask('x'.repeat(10_000));
    await (await world.open('maths')).close();
    await expect(world.open('nowhere')).rejects.toThrow('404');
    const agent = (await world.status()).agents.find((one) => one.service === 'weather');
    process.kill(agent?.pid ?? 0, 'SIGKILL');
    await Promise.all(sessions.map(async (session) => session.closed));
    await world.until('the gateway has no instance', async () =>
      world.open('weather').then(
        () => false,
        (error: unknown) => String(error).includes('503'),
      ),
    );
    await expectTotals(world, 'connects', 'service', { weather: 3, maths: 2 });
    await world.until(
      'all ends are told',
      async () => {
        const query = { metric: 'session_ends', by: 'cause', stat: 'total' };
        const { instance_lost: lost, ...ends } = totals(await world.client.timeseries(query), 'cause');
        // After a client's goodbye either side may be the first to close the connection.
        return lost === 3 && (ends['agent'] ?? 0) + (ends['client'] ?? 0) === 1;
      },
      60_000,
    );
    const failures = totals(
      await world.client.timeseries({ metric: 'connect_failures', by: 'cause', stat: 'total' }),
      'cause',
    );
    expect(failures['no_route']).toBe(1);
    // The agent that has just gone, or already none.
    expect((failures['unreachable'] ?? 0) + (failures['no_instance'] ?? 0)).toBeGreaterThanOrEqual(1);
    const handshakes = await world.client.timeseries({ metric: 'handshake_latency', stat: 'count,p50' });
    expect(handshakes.series[0]?.values.reduce<number>((sum, value) => sum + (value ?? 0), 0)).toBe(5);

    await world.until('the bytes are told', async () => {
      const bytes = totals(
        await world.client.timeseries({ metric: 'bytes_received', by: 'service', stat: 'total' }),
        'service',
      );
      return (bytes['maths'] ?? 0) > 10_000 && (bytes['maths'] ?? 0) < 11_000;
    });

    await world.killControlPlane();
    await world.startControlPlane();
    // The session that went on is open, and was not opened again.
    await world.until(
      'the open session is seen',
      async () => {
        const open = await world.client.timeseries({ metric: 'sessions_open', by: 'service', from: '10s' });
        return open.series.some(({ labels, values }) => labels.service === 'maths' && values.at(-1) === 1);
      },
      40_000,
    );
    await expectTotals(world, 'connects', 'service', { weather: 3, maths: 2 });
    await lasting.close();
  },
  180_000,
);

it.concurrent(
  'the newest ten seconds come as they are finished, and nothing is missed or told twice after a break',
  async () => {
    await using world = await startWorld({ seed: [echoService('weather')] });
    const follow = async (count: number, after?: string): Promise<string[]> => {
      const stop = new AbortController();
      const ids: string[] = [];
      for await (const { id, data } of world.client.followTimeseries(
        { metric: 'instances_ready' },
        stop.signal,
        after,
      )) {
        expect(data.series).toHaveLength(1);
        ids.push(id);
        if (ids.length === count) break;
      }
      stop.abort();
      return ids;
    };
    const [first = ''] = await follow(1);
    const [second = ''] = await follow(1, first);
    expect(Number(second)).toBe(Number(first) + 10_000);
    const [again, ...rest] = await follow(2, String(Number(first) - 10_000));
    expect([again, ...rest]).toEqual([first, second]);
    const { items } = await world.client.metrics();
    for (const { name } of items)
      expect((await world.client.timeseries({ metric: name })).series.length, name).toBeGreaterThan(0);
    for (const [query, path] of [
      [{ metric: 'nothing' }, 'query.metric'],
      [{ metric: 'cpu', by: 'colour' }, 'query.by'],
      [{ metric: 'cpu', from: 'yesterday' }, 'query.from'],
      [{ metric: 'cpu', step: '7s' }, 'query.step'],
      [{ metric: '' }, 'query.metric'],
    ] as const) {
      const error: unknown = await world.client.timeseries(query).catch((thrown: unknown) => thrown);
      expect(isError(error, 'invalid') && error.issues[0]?.path, JSON.stringify(query)).toBe(path);
    }
  },
);
