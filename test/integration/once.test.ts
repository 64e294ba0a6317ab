/** What an agent has got is not done again: handshakes and plain HTTP that are slow, that kill, or whose instance is gone. */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openSession } from '../support/sessions.ts';
import { upgrade } from '../support/upgrade.ts';
import { echoService, repository, startWorld, type World } from '../support/world.ts';

const SCRIPT = join(repository, 'test/support/recording-agent.ts');

function recording(name: string, journal: string, replicas: number, gateway: object = {}): Record<string, unknown> {
  return {
    kind: 'Service',
    name,
    spec: {
      launch: { command: [process.execPath, SCRIPT, '--port', '{port}', '--journal', `${journal}/${name}`] },
      replicas,
      probe: { type: 'http' },
      restart: { initialBackoff: '20s' },
      gateway,
    },
  };
}

async function call(
  world: World,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string; ended: boolean }> {
  const { port } = (await world.status()).gateway;
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', () => undefined);
      response.on('close', () => {
        const body = Buffer.concat(parts).toString('utf8');
        resolve({ status: response.statusCode ?? 0, body, ended: response.complete });
      });
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? 'amount=1' : undefined);
  });
}

const code = (body: string): string => (JSON.parse(body) as { code: string }).code;

it('a slow request is done once, a slow handshake twice at most; one that kills ends two instances at most', async () => {
  await using world = await startWorld({ name: 'once', waitReady: false });
  const times = (service: string, path: string): string[] => {
    const lines = readFileSync(join(world.folder, service), 'utf8').split('\n');
    return lines.filter((line) => line.endsWith(path)).map((line) => line.split(' ')[0] ?? '');
  };
  const brief = { handshakeTimeout: '4s', http: { responseTimeout: '3s' } };
  await world.client.apply([
    recording('usual', world.folder, 4),
    recording('brief', world.folder, 2, brief),
    recording('strict', world.folder, 2, { attemptTimeout: 'off' }),
    recording('poison', world.folder, 4),
    recording('lone', world.folder, 1),
  ]);
  for (const [name, count] of [
    ['usual', 4],
    ['brief', 2],
    ['strict', 2],
    ['poison', 4],
    ['lone', 1],
  ] as const)
    await world.ready(name, count);
  const at = (await world.status()).gateway.port;
  const handshake = async (path: string): Promise<number> => (await upgrade(at, path)).status;

  const [post, get, stream, slow, late, silent, refused, once, lone] = await Promise.all([
    call(world, 'POST', '/agents/usual/pay?wait=2500'),
    call(world, 'GET', '/agents/usual/poll?wait=11000'),
    call(world, 'GET', '/agents/brief/events?wait=1500'),
    handshake('/agents/usual/slow?wait=3000'),
    upgrade(at, '/agents/brief/late?wait=9000'),
    call(world, 'POST', '/agents/brief/silent?wait=9000'),
    // A client has no say in it either.
    call(world, 'POST', '/agents/usual/refuse', { 'x-envoy-retry-on': '5xx', 'x-envoy-max-retries': '3' }),
    handshake('/agents/strict/slow?wait=3000'),
    handshake('/agents/lone/slow?wait=3000'),
  ]);
  expect([post.status, times('usual', '/pay?wait=2500').length]).toEqual([200, 1]);
  expect([get.status, times('usual', '/poll?wait=11000').length]).toEqual([200, 1]);
  // Longer than any limit of the service, but it flows.
  expect([stream.body.match(/data/g)?.length, stream.ended]).toEqual([5, true]);
  expect([refused.status, times('usual', '/refuse').length]).toEqual([503, 1]);
  expect(slow).toBe(101);
  const made = times('usual', '/slow?wait=3000');
  expect([made.length, new Set(made).size]).toEqual([2, 2]);
  expect([once, times('strict', '/slow?wait=3000').length]).toEqual([101, 1]);
  expect([lone, times('lone', '/slow?wait=3000').length]).toEqual([101, 1]);
  // What is too slow is told as that, and not as an agent that can't be reached.
  expect([late.status, code(late.body)]).toEqual([504, 'agent_timeout']);
  expect(times('brief', '/late?wait=9000').length).toBeLessThanOrEqual(2);
  expect([silent.status, code(silent.body)]).toEqual([504, 'agent_timeout']);
  expect(times('brief', '/silent?wait=9000').length).toBe(1);

  const sessions = await Promise.all(Array.from({ length: 12 }, async () => openSession(world.url('poison'))));
  const deadly = await upgrade(at, '/agents/poison/crash?why=secret');
  expect([deadly.status, code(deadly.body)]).toEqual([503, 'instances_unreachable']);
  expect(times('poison', '/crash?why=secret').length).toBe(2);
  // At once, but for a client that meets both of the dead before the gateway is told of them.
  await world.until('others are served', async () => (await handshake('/agents/poison')) === 101);
  const told = await world.until('it is named', async () =>
    (await world.client.events({ action: 'service.deadly-request' })).items.at(0),
  );
  expect([told.subject, told.message]).toEqual([
    { kind: 'Service', name: 'poison' },
    `GET /agents/poison/crash was sent once, and 2 instances ended while they had it: ${times('poison', '/crash?why=secret').sort().join(', ')}`,
  ]);
  // A POST that kills costs the one instance.
  expect((await call(world, 'POST', '/agents/poison/crash?by=post')).status).toBe(503);
  expect(times('poison', '/crash?by=post').length).toBe(1);
  await sleep(200);
  const left = new Set(
    (await world.client.instances({ service: 'poison' })).items
      .filter((one) => one.state === 'ready')
      .map((one) => one.id),
  );
  expect(left.size).toBe(1);
  for (const session of sessions) session.socket.terminate();
}, 60_000);

it('a level whose instances have all gone is left at once, whatever Envoy knows', async () => {
  await using world = await startWorld({ name: 'levels', seed: [echoService('upper', {}), echoService('lower', {})] });
  const agents = (await world.status()).agents;
  const addresses = (await world.client.instances()).items.map(({ service, address }) => ({
    ...address,
    tags: { floor: service },
  }));
  const floors = ['upper', 'lower'].map((floor) => ({ tags: { floor } }));
  await world.client.apply([
    {
      kind: 'Service',
      name: 'house',
      spec: {
        runtime: 'external',
        addresses,
        probe: { type: 'websocket', interval: '30s' },
        gateway: { healthCheck: { type: 'off' }, policy: { type: 'levels', options: { levels: floors } } },
      },
    },
  ]);
  await world.ready('house', 2);
  const first = await openSession(world.url('house'));
  const upper = agents.find(({ service }) => service === 'upper');
  expect(first.greeting.instance).toBe(upper?.instance);
  process.kill(upper?.pid ?? 0, 'SIGKILL');
  await first.closed;
  for (let n = 0; n < 40; n += 1) {
    const session = await openSession(world.url('house'));
    expect(session.greeting.instance).toContain('lower');
    session.socket.terminate();
  }
});
