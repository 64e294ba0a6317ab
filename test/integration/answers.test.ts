/** What the API answers is what its document says: every endpoint is asked, in a world where there is something to tell. */
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, it } from 'vitest';
import { ENDPOINTS } from '../../control-plane/src/api/app.ts';
import { looked, lookingFetch, nameOf } from '../support/answers.ts';
import { rolloutIs } from '../support/rollout.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

const SLOWLY = {
  strategy: 'canary',
  steps: [
    { weight: 10, pause: '1h' },
    { weight: 50, pause: '1h' },
  ],
};
const SEED = [
  echoService('weather', { replicas: 2, gateway: { policy: { type: 'weighted' } }, rollout: SLOWLY }),
  echoService('scaled', { autoscale: { sessions: 10, max: 2 }, health: { checks: [{ name: 'port', type: 'tcp' }] } }),
  echoService('broken', {}, ['--fail']),
  { kind: 'Service', name: 'far', labels: { team: 'sea' }, spec: { runtime: 'external' } },
];
const ROUTE = {
  kind: 'Route',
  name: 'chat',
  spec: { match: { path: { prefix: '/chat' } }, target: { service: 'weather' } },
};

/** Asked to end a session, it says yes. */
const hook = createServer((_, answer) => answer.writeHead(204).end());

afterAll(() => hook.close());

/** What comes is looked at by `lookingFetch`; what the API refuses is no answer. */
function asker(world: World) {
  return async (
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<Response> => {
    const response = await lookingFetch(world.client.url + path, {
      method,
      headers: { authorization: `Bearer ${world.token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
}

it('every answer is what the schema of its endpoint says, and what is not JSON has the type that is told', async () => {
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const { port } = hook.address() as AddressInfo;
  const address = { host: '127.0.0.1', port };
  await using world = await startWorld({ name: 'answers', seed: SEED, waitReady: false });
  const { client } = world;
  await client.patchService('weather', { spec: { hooks: { close: `http://127.0.0.1:${port}/` } } });
  const ask = asker(world);
  await world.ready('weather', 2);
  await world.ready('scaled', 1);
  await world.until('it has failed', async () => {
    const { items } = await client.instances({ service: 'broken' });
    return items[0]?.lastExit !== undefined;
  });

  // Sessions, open and ended.
  const open = await Promise.all(Array.from({ length: 3 }, async () => world.open('weather')));
  const [first] = (
    await world.until('all are listed', async () => {
      const found = await client.sessions();
      return found.total === 3 && found;
    })
  ).items;
  const id = first?.id ?? '';
  const instance = first?.instance ?? '';
  await ask('GET', `/v1/sessions/${id}`);
  await client.countSessions('instance', { service: 'weather' });
  await client.endSessions({ service: 'weather' }, { dryRun: true });
  await client.endSession(id, 'a test');
  await open[0]?.close();
  await world.until('one has ended', async () => (await client.endedSessions()).total === 1);

  // Documents.
  await client.putRoute('chat', ROUTE, { wait: true });
  await client.apply([{ ...ROUTE, name: 'other', spec: { ...ROUTE.spec, enabled: false } }], { set: 'all' });
  await ask('PATCH', '/v1/routes/chat', { labels: { team: 'sky' } });
  await client.routes();
  await client.route('other');
  await client.deleteRoute('other', { dryRun: true });
  await client.services();
  await client.service('broken');
  await client.putService('scaled', SEED[1] ?? {}, { dryRun: true });
  await client.scale('weather', 3, { dryRun: true });
  await client.stop('weather', { dryRun: true });
  await client.start('weather', { dryRun: true });
  await client.restart('weather', { dryRun: true });
  await client.deleteService('scaled', { dryRun: true });
  await client.explain({ path: '/chat/x' });
  await client.explain({ path: '/nowhere' });

  // Instances, one of them registered from outside.
  const registered = await client.register({ service: 'far', address, tags: { size: 'l' }, zone: 'b' });
  const far = registered.instance.id;
  await client.heartbeat(far, registered.token, { load: 0.5 });
  await client.reportLoad(far, { load: 0.4, message: 'half' });
  await client.load(far);
  await client.load(instance);
  await client.instances();
  await client.instance(far);
  await world.until('it was looked at', async () => (await client.health(instance)).checks[0]?.history.length !== 0);
  await client.check(instance);
  const { items: scaled } = await client.instances({ service: 'scaled' });
  await client.health(scaled[0]?.id ?? '');
  await client.logs(instance);
  await client.logs((await client.instances({ service: 'broken' })).items[0]?.id ?? '');
  await client.stopInstance(instance, { dryRun: true });
  await client.deregister(far, registered.token, { now: true });

  // Scaling and balance.
  await world.until('it has decided', async () => (await client.autoscale('scaled')).decisions.length > 0);
  await client.replayScale('scaled', { policy: { sessions: 5, max: 3 }, over: '10m' });
  await client.balance('weather');
  await client.rebalance('weather', { mode: 'steer' });
  await client.balance('weather');
  await client.rebalance('weather', { mode: 'stop' });

  // Drains.
  for (const target of [
    { kind: 'instance', id: instance },
    { kind: 'version', name: 'scaled', number: 1 },
    { kind: 'service', name: 'weather' },
  ] as const) {
    await client.drain(target, { then: 'keep', policy: 'wait' });
    await client.drains();
    await client.undrain(target);
  }
  await client.drainGateway('gateway-1', 'a test');
  await client.drains();
  await client.undrainGateway('gateway-1');

  // A rollout, with sessions on both versions.
  await world.ready('weather', 2);
  await client.patchService('weather', { spec: { launch: { env: { MARK: 'two' } } } });
  const stage = async (number: number): Promise<unknown> =>
    world.until(`stage ${number}`, async () => (await client.rollout('weather')).stage >= number);
  await world.until('it serves', async () => (await client.rollout('weather')).servingSince !== undefined);
  await client.rollouts();
  await client.steerRollout('weather', 'pause');
  await client.steerRollout('weather', 'resume');
  await client.steerRollout('weather', 'promote');
  await stage(1);
  await client.steerRollout('weather', 'abort');
  await client.rollout('weather');
  await client.steerRollout('weather', 'retry');
  await client.steerRollout('weather', 'promote-full');
  await rolloutIs(world, 'weather', 'completed', 30_000);
  await client.versions('weather');
  await ask('GET', '/v1/services/weather/versions/2');
  await client.diffVersions('weather', 1, 2);
  await client.pinVersion('weather', 1, true);
  await client.undo('weather', 1, { dryRun: true });

  // Gateways.
  await client.gateways();
  await ask('GET', '/v1/gateways/gateway-1');
  for (const type of ['cds', 'eds', 'lds', 'rds', 'ecds', 'sds']) await client.gatewayConfig('gateway-1', type);
  await client.compareGateway('gateway-1');
  await client.gateways();
  await client.restartGateway('gateway-1', undefined, { dryRun: true });
  await client.revision((await client.status()).revision);
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await client.certifyGateway({
    gateway: 'edge',
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    folder: '/etc/edge',
  });
  await client.certificates();
  await client.rotateCertificates('gateway-1');
  await client.revokeCertificate('edge');

  // What was.
  await client.events({ limit: 5000 });
  await client.events({ limit: 2 });
  await client.eventsHead();
  await client.verifyEvents();
  const { items: metrics } = await client.metrics();
  await world.until('there are figures', async () => {
    const found = await client.timeseries({ metric: 'sessions_open', by: 'service,instance' });
    return found.series.some(({ values }) => values.some((one) => one !== null));
  });
  for (const { name, stats, labels } of metrics)
    await client.timeseries({ metric: name, stat: stats.join(','), by: labels.join(','), from: '5m' });
  await client.livez();
  await client.plugins();
  await client.signIn((await client.signInCode()).code);
  await client.controlPlaneLog(10);

  // What is no JSON has the type that is told; what is also a stream is one where that is asked for.
  const paths: Readonly<Record<string, string>> = { '/v1/instances/{id}/logs': `/v1/instances/${instance}/logs` };
  for (const { method, path, answer } of ENDPOINTS) {
    const type = 'type' in answer ? answer.type : answer.stream === true ? 'text/event-stream' : undefined;
    if (type === undefined) continue;
    const query = path === '/v1/timeseries/watch' ? '?metric=connects' : '';
    const response = await ask(method, `${paths[path] ?? path}${query}`, undefined, { accept: type });
    expect(response.headers.get('content-type')?.split(';')[0], path).toBe(type);
    await response.body?.cancel();
  }

  await client.shutdown('0s');
  const all = ENDPOINTS.filter(({ answer }) => 'schema' in answer).map(nameOf);
  expect(all.filter((name) => !looked.has(name))).toEqual([]);
}, 180_000);
