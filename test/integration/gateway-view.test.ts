/** What operators see of each Envoy: what it was told, what it has, what it refuses and where it differs. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { driftOf } from '../../control-plane/src/gateways/drift.ts';
import { envoyFacts } from '../../control-plane/src/gateways/envoy-facts.ts';
import { createDriftWatch } from '../../control-plane/src/gateways/watch-drift.ts';
import type { Condition } from '../../control-plane/src/model/meta.ts';
import type { TypeConfig } from '../../control-plane/src/xds/status.ts';
import { echoService, repository, startWorld, type World } from '../support/world.ts';

const plugin = join(repository, 'test/support/refused-policy.ts');
const run = promisify(execFile);

/** A policy of the plugin. */
const ring = (size: number, apiKey = ''): Record<string, unknown> => ({
  gateway: { policy: { type: 'ring', options: { ring: size, apiKey } } },
});

async function cli(world: World, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const main = join(repository, 'control-plane/src/cli/main.ts');
  const env = { ...process.env, SWITCHBOARD_DATA: world.data, NO_COLOR: '1' };
  try {
    const { stdout, stderr } = await run(process.execPath, [main, ...args], { env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

it.each(['delta', 'sotw'])(
  'shows what was sent and what Envoy has, which is the same, without secrets (%s)',
  async (variant) => {
    const secret = 'sk-0123456789abcdef';
    await using world = await startWorld({
      seed: [
        echoService('weather', ring(1024, secret)),
        echoService('finance', { gateway: { affinity: { type: 'cookie' } } }),
      ],
      environment: { SWITCHBOARD_PLUGINS: plugin, SWITCHBOARD_ENVOY_XDS: variant },
    });
    await world.client.putRoute(
      'chat',
      { spec: { match: { path: { exact: '/chat' } }, target: { service: 'weather' }, rewrite: '/' } },
      { wait: true },
    );
    for (const type of ['cds', 'eds', 'lds', 'rds', 'ecds']) {
      const config = await world.client.gatewayConfig('gateway-1', type);
      expect([type, config.difference]).toEqual([type, { onlySent: [], onlyEnvoy: [], differ: [] }]);
      expect(config.sent.length).toBeGreaterThan(0);
      expect(config.sent.every((one) => one.state === 'SYNCED' && one.sentAt !== null && one.answeredAt !== null)).toBe(
        true,
      );
      expect(config.envoy).toMatchObject({ reachable: true });
      expect(JSON.stringify(config)).not.toContain(secret);
    }
    const { sent, envoy } = await world.client.gatewayConfig('gateway-1', 'cds', 'weather');
    expect(sent).toMatchObject([{ name: 'weather', resource: { lb_policy: 'RING_HASH' } }]);
    expect(envoy).toMatchObject({ items: [{ name: 'weather', warming: false }] });
    expect(JSON.stringify(sent)).toContain('"kept":"shown"');
    const secrets = JSON.stringify(await world.client.gatewayConfig('gateway-1', 'sds'));
    expect(secrets).not.toContain('PRIVATE KEY');
    await expect(world.client.gatewayConfig('gateway-1', 'xyz')).rejects.toMatchObject({ code: 'not_found' });
    await expect(world.client.gatewayConfig('nobody', 'cds')).rejects.toMatchObject({ code: 'not_found' });
    const status = await cli(world, 'gateway', 'status', '--compare');
    expect([status.code, status.out]).toEqual([0, expect.stringMatching(/gateway-1.*SYNCED.*SYNCED.*ok/) as string]);
    expect(await cli(world, 'gateway', 'diff')).toMatchObject({ code: 0, out: '' });
  },
  60_000,
);

it('names what Envoy refuses on the service and on the gateway, while all else goes on being updated', async () => {
  await using world = await startWorld({
    seed: [echoService('weather', ring(1024)), echoService('finance')],
    environment: { SWITCHBOARD_PLUGINS: plugin },
  });
  // What can be named is told, with whose it is.
  const { items } = await world.client.plugins();
  expect(items.find(({ name }) => name === 'ring')).toMatchObject({
    kind: 'policies',
    about: 'A ring of a given size; above 8388608 Envoy refuses it.',
    from: plugin,
    options: { properties: { ring: { type: 'integer' } } },
  });
  expect(items.filter(({ from }) => from === null).map(({ kind, name }) => `${kind} ${name}`)).toEqual(
    expect.arrayContaining(['probes myagent', 'policies hash', 'runtimes docker', 'stores sqlite', 'metrics crashes']),
  );
  // Envoy's own first check of an instance may come a moment after its acknowledgement.
  const session = await world.until('a session opens', async () => world.open('weather'));
  const bad = await world.client.patchService('weather', { spec: ring(9_000_000) });
  const conditions = await world.until('the refusal shows on the service', async () => {
    const { status } = await world.client.service('weather');
    return status.conditions.length > 0 && status.conditions;
  });
  expect(conditions).toMatchObject([{ type: 'Accepted', status: 'false', reason: 'RefusedByGateway' }]);
  expect(conditions[0]?.message).toMatch(
    /^gateway-1 refuses it .*MinimumRingSize: value must be less than or equal to 8388608/i,
  );
  const [gateway] = (await world.client.gateways()).items;
  expect(gateway?.types['cds']?.state).toBe('ERROR');
  expect(gateway?.refusals).toMatchObject([
    { type: 'cds', name: 'weather', owner: { kind: 'Service', name: 'weather' } },
  ]);
  expect(gateway?.conditions).toMatchObject([{ type: 'InSync', status: 'false', reason: 'Refused' }]);
  expect((await world.client.revision(bad.revision)).gateways).toMatchObject([{ node: 'gateway-1', state: 'refused' }]);
  // What Envoy has is what it has accepted.
  const config = await world.client.gatewayConfig('gateway-1', 'cds');
  expect(config.difference).toEqual({ onlySent: [], onlyEnvoy: [], differ: [] });
  expect(config.sent.find((one) => one.name === 'weather')).toMatchObject({
    state: 'ERROR',
    nack: { message: expect.stringContaining('8388608') as string },
  });
  // Others go on.
  const other = await world.client.patchService(
    'finance',
    { spec: { gateway: { idleTimeout: '5m' } } },
    { wait: true },
  );
  expect(other.acks).toMatchObject({ acked: ['gateway-1'], refused: [] });
  await world.client.apply([echoService('late')]);
  await world.ready('late', 1);
  expect((await world.client.service('finance')).status.conditions).toEqual([]);
  const status = await cli(world, 'gateway', 'status');
  expect(status.code).toBe(7);
  expect(status.err).toContain('gateway-1 refuses cds weather (Service weather)');
  expect((await cli(world, 'get', 'services')).out).toMatch(/weather +ready \(refused\)/);
  expect((await cli(world, 'describe', 'service', 'weather')).out).toContain('RefusedByGateway');
  expect(await session.ask('still here')).toBe('still here');
  // Mended: it is accepted, and nothing speaks against anything.
  await world.client.patchService('weather', { spec: ring(2048) }, { wait: true });
  expect((await world.client.service('weather')).status.conditions).toEqual([]);
  expect((await world.client.gateways()).items).toMatchObject([{ refusals: [], conditions: [] }]);
  expect(await cli(world, 'gateway', 'status')).toMatchObject({ code: 0 });
  await session.close();
}, 90_000);

it('tells the timeline of a revision: committed, published, sent, acknowledged', async () => {
  await using world = await startWorld({ seed: [echoService('weather')] });
  const { revision } = await world.client.patchService(
    'weather',
    { spec: { gateway: { idleTimeout: '5m' } } },
    { wait: true },
  );
  const timeline = await world.client.revision(revision);
  const [gateway] = timeline.gateways;
  expect(gateway).toMatchObject({ node: 'gateway-1', state: 'acked' });
  const times = [timeline.committedAt, timeline.publishedAt, gateway?.sentAt, gateway?.at];
  expect(times.every((time) => typeof time === 'string')).toBe(true);
  expect([...times].sort()).toEqual(times);
}, 60_000);

it('finds where Envoy differs from what it should have, and tells when that is over', async () => {
  await using world = await startWorld({ seed: [echoService('weather'), echoService('finance')] });
  const facts = await envoyFacts(world.admin);
  const version = (type: string, name: string): string => facts.versions.get(type)?.get(name) ?? '';
  const [address] = [...(facts.endpoints.get('weather')?.keys() ?? [])];
  expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
  const resource = (name: string, acked: string) =>
    ({
      name,
      state: 'SYNCED',
      version: acked,
      sent: acked,
      acked,
      revision: 1,
      sentAt: null,
      answeredAt: null,
    }) as const;
  const config = (...clusters: [string, string][]): TypeConfig[] => [
    { type: 'Cluster', short: 'cds', resources: clusters.map(([name, acked]) => resource(name, acked)) },
  ];
  const both: [string, string][] = [
    ['finance', version('cds', 'finance')],
    ['weather', version('cds', 'weather')],
  ];
  expect(driftOf(config(...both), 'delta', facts)).toEqual([]);
  // The registry went on without this Envoy: one cluster changed, one came, one went.
  let wanted = config(['weather', 'newer'], ['billing', 'first']);
  const told: (Condition | undefined)[] = [];
  const [gateway] = (await world.client.gateways()).items;
  if (gateway === undefined) throw new Error('no gateway');
  const watch = createDriftWatch({
    intervalMs: 3_600_000,
    now: () => Date.now(),
    gateways: () => [gateway],
    config: () => wanted,
    adminOf: () => world.admin,
    changed: (_, condition) => told.push(condition),
  });
  const report = await watch.look('gateway-1');
  expect(report?.drift.map(({ name, message }) => `${name}: ${message}`)).toEqual([
    'finance: Envoy still has it, and it is gone here',
    `weather: Envoy has acknowledged version newer and runs ${version('cds', 'weather')}`,
    'billing: Envoy has acknowledged it and does not have it',
  ]);
  expect(watch.conditions('gateway-1')).toMatchObject([
    { type: 'Drift', status: 'true', reason: 'DiffersFromRegistry' },
  ]);
  wanted = config(...both);
  expect((await watch.look('gateway-1'))?.drift).toEqual([]);
  expect(watch.conditions('gateway-1')).toEqual([]);
  expect(told.map((one) => one?.status)).toEqual(['true', undefined]);
  watch.close();
  // The control plane's own watch sees nothing of the kind, whatever it did to the fleet.
  await world.client.scale('weather', 3, { wait: true });
  await world.ready('weather', 3);
  await world.client.deleteService('finance', { wait: true });
  const [one] = (await world.client.instances({ service: 'weather' })).items;
  await world.client.drain({ kind: 'instance', id: one?.id ?? '' }, { policy: 'wait', then: 'keep' }, { wait: true });
  await world.until('it is drained', async () => (await world.client.instance(one?.id ?? '')).state === 'draining');
  const sent = await world.client.gatewayConfig('gateway-1', 'eds');
  expect(JSON.stringify(sent)).toContain('DRAINING');
  expect(sent.difference).toEqual({ onlySent: [], onlyEnvoy: [], differ: [] });
  await world.until('nothing differs', async () => (await world.client.compareGateway('gateway-1')).drift.length === 0);
  expect((await world.client.gateways()).items[0]).toMatchObject({ conditions: [], drift: { unreachable: '' } });
}, 90_000);
