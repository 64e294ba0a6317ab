/** Every setting, changed alone with a restart of the control plane while sessions are open: none ends, and what is different then is told. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { findEnvoy } from '@switchboard/envoy';
import { Settings } from '../../control-plane/src/config.ts';
import { freePort } from '../../control-plane/src/home/free-port.ts';
import { SETTING_VARIABLES } from '../../control-plane/src/model/variables.ts';
import { openSession, type OpenSession } from '../support/sessions.ts';
import { echoService, repository, startWorld, type World } from '../support/world.ts';

/** `elsewhere`: with another value it is another installation. `picked`: a free port. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  data: 'elsewhere',
  'store.type': 'elsewhere',
  'gateway.host': '0.0.0.0',
  'gateway.port': 'picked',
  'gateway.trustedProxies': ['127.0.0.5'],
  'gateway.proxyProtocol.host': '0.0.0.0',
  'gateway.proxyProtocol.port': 'picked',
  'xds.host': '0.0.0.0',
  'xds.port': 'picked',
  // Of the binary, the same one by its path.
  'envoy.path': 'elsewhere',
  'envoy.concurrency': 3,
  'envoy.logLevel': 'error',
  'envoy.maxConnections': 9_999,
  'envoy.xds': 'sotw',
  'api.host': '0.0.0.0',
  'api.port': 'picked',
  'certificates.life': '60d',
  'dns.servers': ['127.0.0.1:9'],
  'drift.interval': '30s',
  'metrics.public': true,
  'metrics.token': 'a-token-of-twenty-letters-or-more',
  'metrics.perInstance': true,
  'telemetry.otlp.endpoint': 'http://127.0.0.1:9',
  'telemetry.otlp.interval': '50s',
  'telemetry.otlp.headers': {},
  'agents.host': '127.0.0.2',
  'agents.ports': [19_000, 19_100],
  'agents.logs.maxBytes': 100_000,
  'agents.logs.files': 2,
  runtimes: { process: {} },
  'store.options': {},
  'log.format': 'text',
  'log.level': 'warn',
  'events.most': 200,
  'events.keep': '10d',
  seed: [join(repository, 'deploy/examples/agents.yaml')],
  plugins: [join(repository, 'deploy/examples/policies/lowest-port.ts')],
};

/** Dotted paths of all that is no mapping. */
function pathsOf(schema: z.core.JSONSchema._JSONSchema, at = ''): string[] {
  if (typeof schema === 'boolean' || schema.properties === undefined) return [at];
  return Object.entries(schema.properties).flatMap(([name, one]) => pathsOf(one, at === '' ? name : `${at}.${name}`));
}

const PATHS = pathsOf(z.toJSONSchema(Settings, { io: 'input', unrepresentable: 'any' }));

it('there is a sample of every setting', () => {
  expect(
    PATHS.filter((path) => !(path in SAMPLES)),
    'a new setting: give it a sample here, so that it is shown what becomes of open sessions when it is changed',
  ).toEqual([]);
  expect(Object.keys(SAMPLES).filter((path) => !PATHS.includes(path))).toEqual([]);
});

const textOf = (value: unknown): string => (Array.isArray(value) ? value.join('-') : String(value));

/** Sets some, beside those that were set before, and starts the control plane anew. */
function changer(world: World, environment: Record<string, string>) {
  const file = join(world.folder, 'switchboard.yaml');
  const set: Record<string, unknown> = {};
  return async (...paths: readonly string[]): Promise<void> => {
    await world.killControlPlane();
    for (const path of paths) {
      const sample = SAMPLES[path];
      const value = sample === 'picked' ? await freePort('127.0.0.1') : sample;
      const variable = Object.entries(SETTING_VARIABLES).find(([, at]) => at.join('.') === path)?.[0];
      if (variable !== undefined && environment[variable] !== undefined) environment[variable] = textOf(value);
      else assign(set, path.split('.'), value);
    }
    writeFileSync(file, stringify(set));
    await world.startControlPlane();
  };
}

function assign(target: Record<string, unknown>, [head = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) target[head] = value;
  else assign((target[head] ??= {}) as Record<string, unknown>, rest, value);
}

/** Those that the world sets itself. */
const own = (): Record<string, string> => ({
  SWITCHBOARD_GATEWAY_PORT: '0',
  SWITCHBOARD_GATEWAY_PROXY_PROTOCOL_PORT: '',
  SWITCHBOARD_API_PORT: '0',
  SWITCHBOARD_XDS_PORT: '0',
  SWITCHBOARD_AGENTS_PORTS: '18000-18100',
  SWITCHBOARD_ENVOY_CONCURRENCY: '1',
});

/** A former Envoy that seems to serve nobody is ended within less. */
const FORMER_LOOKS_MS = 5_000;

const ofEnvoy = (path: string): boolean => /^(gateway|xds|envoy)\./.test(path);
const isElsewhere = (path: string): boolean => SAMPLES[path] === 'elsewhere';

it.concurrent('no change of a setting ends a session, and changes still reach the gateway', async () => {
  const environment = own();
  await using world = await startWorld({ name: 'settings', seed: [echoService('chat')], environment });
  const change = changer(world, environment);
  const crowd = await world.crowd('chat', 20, 50);
  const outdated = async (): Promise<string> => (await world.status()).envoy.outdated.join('; ');
  const stillServes = async (what: string): Promise<void> => {
    expect(crowd.cut(), what).toBe(0);
    const fresh = await world.open('chat');
    expect(await fresh.ask('x'), what).toBe('x');
    await fresh.close();
  };

  // What Envoy has no part in, all at once.
  await change(...PATHS.filter((path) => !ofEnvoy(path) && !isElsewhere(path)));
  await stillServes('all that is not of the gateway');
  expect(await outdated()).toBe('');

  // What it reads at its start alone.
  for (const path of PATHS.filter((one) => /^(xds|envoy)\./.test(one) && !isElsewhere(one))) {
    await change(path);
    await stillServes(path);
    expect(await outdated(), path).toContain(`${path} (`);
  }
  await world.client.patchService('chat', { spec: { gateway: { handshakeTimeout: '9s' } } }, { wait: true });

  // Who else speaks for clients, and where.
  for (const path of ['gateway.trustedProxies', 'gateway.proxyProtocol.port']) {
    const { pid, outdated: told } = (await world.status()).envoy;
    await change(path);
    await stillServes(path);
    expect((await world.status()).envoy, path).toMatchObject({ pid, outdated: told });
  }
  const forwarded = await openSession(world.url('chat'), {
    headers: { 'x-forwarded-for': '203.0.113.7' },
    localAddress: '127.0.0.5',
  });
  expect(forwarded.greeting.headers['x-forwarded-for']).toBe('203.0.113.7, 127.0.0.5');
  await forwarded.close();

  // Where its clients come in.
  const before = (await world.status()).gateway.port;
  await change('gateway.port');
  const moved = (await world.status()).gateway.port;
  expect(moved).not.toBe(before);
  await stillServes('gateway.port');
  await expect(fetch(`http://127.0.0.1:${before}/`)).rejects.toThrow('fetch failed');
  const [move] = (await world.client.events({ action: 'gateway.move' })).items;
  expect(move?.message).toBe(
    `clients connect to 127.0.0.1:${moved} from now on; nobody listens at 127.0.0.1:${before} any more, and the 20 open sessions go on until they end`,
  );

  // On other hosts of the same port: it is replaced, and with that all else holds.
  const { pid } = (await world.status()).envoy;
  await change('gateway.host');
  await stillServes('gateway.host');
  expect((await world.status()).envoy).toMatchObject({ former: { pid, until: null }, outdated: [] });
  const [renewed] = (await world.client.events({ action: 'gateway.restart' })).items;
  expect(renewed?.message).toMatch(
    /whose 20 open sessions go on there until they end: .*gateway.host \(127.0.0.1, now 0.0.0.0\)/,
  );
  await world.client.patchService('chat', { spec: { gateway: { handshakeTimeout: '8s' } } }, { wait: true });

  const { sent, lost, cut } = await crowd.settle();
  expect([sent > 100, lost, cut]).toEqual([true, 0, 0]);
  await crowd.close();
  await world.until('the former has gone', async () => (await world.status()).envoy.former === null, 30_000);
});

it.concurrent('a port for the PROXY protocol comes and gets other hosts: no session ends', async () => {
  const environment: Record<string, string> = { ...own(), SWITCHBOARD_AGENTS_PORTS: '18400-18500' };
  await using world = await startWorld({ name: 'balanced', seed: [echoService('chat')], environment });
  const change = changer(world, environment);
  const plain = await world.open('chat');
  const { pid } = (await world.status()).envoy;
  await change('gateway.proxyProtocol.port');
  expect((await world.status()).envoy.pid).toBe(pid);
  const port = environment['SWITCHBOARD_GATEWAY_PROXY_PROTOCOL_PORT'];
  const balanced = async (): Promise<OpenSession> =>
    openSession(`ws://127.0.0.1:${port ?? ''}/agents/chat`, { first: 'PROXY TCP4 203.0.113.7 10.0.0.1 40000 443\r\n' });
  const opened = await world.until('balancers get in', balanced);
  await plain.close();

  // From here on its own Envoy has this session alone.
  await change('gateway.proxyProtocol.host');
  expect((await world.status()).envoy).toMatchObject({ former: { pid, until: null }, outdated: [] });
  const later = await world.until('balancers get in', balanced);
  await sleep(FORMER_LOOKS_MS);
  expect([await opened.ask('a'), await later.ask('b')]).toEqual(['a', 'b']);
  await opened.close();
  await world.until('the first has gone', async () => (await world.status()).envoy.former === null);
  await later.close();
});

it.concurrent('one that can not be replaced yet serves on, says so, and is replaced when it can be', async () => {
  const environment = { SWITCHBOARD_GATEWAY_HOST: '127.0.0.1' };
  await using world = await startWorld({ name: 'stuck', seed: [echoService('chat')], environment });
  const old = await world.open('chat');
  await world.client.restartGateway('gateway-1');
  const kept = await world.open('chat');
  await world.killControlPlane();
  environment.SWITCHBOARD_GATEWAY_HOST = '0.0.0.0';
  const starting = world.startControlPlane();
  await world.until('it is told', () => Promise.resolve(world.log().includes("it can't be replaced now")));
  expect(world.log()).toContain('still serves sessions, until they end');
  expect([await old.ask('a'), await kept.ask('b')]).toEqual(['a', 'b']);
  await old.close();
  await starting;
  expect(await kept.ask('c')).toBe('c');
  await world.until('it is replaced', async () => (await world.status()).envoy.former !== null);
  expect((await world.client.events({ action: 'gateway.outdated' })).items).toHaveLength(1);
  await (await world.open('chat')).close();
  await kept.close();
});

/** The real Envoy, without what keeps its sessions after a handover: as it was started by earlier versions. */
async function earlierEnvoy(folder: string): Promise<string> {
  const { path } = await findEnvoy({ environment: process.env });
  const file = join(folder, 'envoy');
  const lines = [
    '#!/bin/sh',
    'left=$#',
    'while [ $left -gt 0 ]; do',
    '  case "$1" in',
    '    --drain-time-s|--drain-strategy) shift 2; left=$((left-2));;',
    '    *) set -- "$@" "$1"; shift; left=$((left-1));;',
    '  esac',
    'done',
    `exec '${path}' "$@"`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o755 });
  return file;
}

it.concurrent('one of a version whose sessions a handover would end is kept until they have ended', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sb-earlier-'));
  const environment: Record<string, string> = {
    ...own(),
    SWITCHBOARD_AGENTS_PORTS: '18600-18700',
    ENVOY_PATH: await earlierEnvoy(folder),
  };
  try {
    await using world = await startWorld({ name: 'earlier', seed: [echoService('chat')], environment });
    const crowd = await world.crowd('chat', 5, 50);
    const { pid } = (await world.status()).envoy;
    await world.killControlPlane();
    const record = join(world.data, 'envoy/envoy.json');
    const {
      process: one,
      startedAt,
      generation,
      bootstrap,
    } = JSON.parse(readFileSync(record, 'utf8')) as Record<'process' | 'startedAt' | 'generation', unknown> & {
      bootstrap: string;
    };
    const { node, ...rest } = JSON.parse(bootstrap) as { node: { metadata?: unknown } };
    delete node.metadata;
    writeFileSync(
      record,
      JSON.stringify({ process: one, startedAt, generation, bootstrap: JSON.stringify({ node, ...rest }) }),
    );
    Reflect.deleteProperty(environment, 'ENVOY_PATH');
    const starting = world.startControlPlane();
    const wouldEnd = await world.until('it can be asked', async () =>
      world.client.restartGateway('gateway-1', undefined, { dryRun: true }),
    );
    expect(wouldEnd).toMatchObject({ from: pid, to: null, sessions: 5 });
    expect(Date.parse(wouldEnd.until ?? '') - Date.now()).toBeLessThanOrEqual(600_000);
    expect(world.log()).toContain('ends its sessions by itself within 10 min of being replaced');
    const { sent, lost, cut } = await crowd.settle();
    expect([sent > 5, lost, cut]).toEqual([true, 0, 0]);
    await crowd.close();
    await starting;
    await world.until('it is replaced', async () => (await world.status()).envoy.pid !== pid);
    const fresh = await world.open('chat');
    expect(await fresh.ask('x')).toBe('x');
    await fresh.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
