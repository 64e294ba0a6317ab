/** Golden files: a fleet as YAML, a line of dashes, the resources that it becomes. `UPDATE_GOLDEN=1` rewrites what is expected. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from '@switchboard/proto';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { gatewayCheckOf } from '../model/gateway-check.ts';
import { Probe } from '../model/probe.ts';
import { RouteSpec } from '../model/route.ts';
import { ServiceGateway } from '../model/service.ts';
import type { FleetInstance, FleetView } from '../model/fleet.ts';
import { routingPolicies } from '../routing/policies.ts';
import { createTranslator, type Translator } from './create.ts';

const folder = join(import.meta.dirname, 'testdata');
const LINE = '\n---------- expected ----------\n';

interface Input {
  services?: {
    name: string;
    gateway?: unknown;
    probe?: unknown;
    tags?: Record<string, string>;
    instances?: Partial<FleetInstance>[];
  }[];
  routes?: { name: string; spec: unknown }[];
}

function fleetOf(input: Input, revision = 1): FleetView {
  return {
    revision,
    generation: revision,
    services: (input.services ?? []).map(({ name, gateway = {}, probe, tags, instances = [] }) => ({
      name,
      ...(tags === undefined ? {} : { tags }),
      ...(instances.length > 1 ? { several: true } : {}),
      gateway: ServiceGateway.parse(gateway),
      ...(probe === undefined
        ? {}
        : { check: gatewayCheckOf(ServiceGateway.parse(gateway).healthCheck, Probe.parse(probe)) }),
      instances: instances.map((one, n) => ({
        id: `${name}-${n}`,
        host: '127.0.0.1',
        port: 9100 + n,
        weight: 1,
        version: 1,
        tags: {},
        zone: '',
        health: 'healthy',
        ...one,
      })),
    })),
    routes: (input.routes ?? []).map(({ name, spec }) => ({ name, spec: RouteSpec.parse(spec) })),
  };
}

function translator(sessionsAt: (instance: string) => number | undefined = () => undefined): Translator {
  return createTranslator({
    gateway: { host: '127.0.0.1', port: 8800 },
    controlPlaneCluster: 'xds',
    sessionReportMs: 10_000,
    instanceToken: (instance) => `token-of-${instance}`,
    signals(instance) {
      const sessions = sessionsAt(instance);
      return sessions === undefined ? undefined : { instance, sessions };
    },
    systemTrust: '/etc/ssl/certs/ca-certificates.crt',
    policies: new Map(routingPolicies.map((policy) => [policy.name, policy])),
  });
}

function shown(input: Input): unknown {
  const { snapshot, problems } = translator().translate(fleetOf(input));
  const types = [...snapshot.types]
    .filter(([url]) => !url.endsWith('.Listener'))
    .filter(([url]) => !url.endsWith('.TypedExtensionConfig') || (input.services ?? []).length === 0)
    .map(([url, set]) => [
      url.slice(url.lastIndexOf('.') + 1),
      [...set.resources.values()].map((one) => decode(url.slice(url.indexOf('/') + 1), one.body)),
    ]);
  return { ...(Object.fromEntries(types) as object), ...(problems.length === 0 ? {} : { problems }) };
}

describe('golden files', () => {
  it.each(readdirSync(folder).filter((name) => name.endsWith('.golden.yaml')))('%s', (name) => {
    const file = join(folder, name);
    const [input = '', expected = ''] = readFileSync(file, 'utf8').split(LINE);
    const text = stringify(shown((parse(input) ?? {}) as Input), { lineWidth: 0 });
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, input + LINE + text);
    else expect(text).toBe(expected);
  });
});

describe('the translation', () => {
  const service = (
    name: string,
    instances: Partial<FleetInstance>[] = [{}],
  ): NonNullable<Input['services']>[number] => ({ name, instances });

  it('writes the listener once: its bytes are the same after any change of the fleet', () => {
    const one = translator();
    const bytes = new Set<string>();
    let seed = 42;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    for (let round = 0; round < 50; round += 1) {
      const services = Array.from({ length: random(5) }, (_, n) => ({
        ...service(
          `s-${n}`,
          Array.from({ length: random(4) }, (__, k) => ({
            port: 9000 + k,
            health: (['healthy', 'draining', 'unhealthy'] as const)[random(3)] ?? 'healthy',
          })),
        ),
        gateway: { handshakeTimeout: `${1 + random(20)}s`, policy: { type: ['round-robin', 'random'][random(2)] } },
      }));
      const { snapshot } = one.translate(fleetOf({ services }, round));
      const listeners = snapshot.types.get('type.googleapis.com/envoy.config.listener.v3.Listener');
      bytes.add(Buffer.from(listeners?.resources.get('clients')?.body ?? []).toString('hex'));
    }
    expect(bytes.size).toBe(1);
  });

  it('changes one resource when one endpoint changes, and keeps all others', () => {
    const one = translator();
    const before = fleetOf({ services: [service('a'), service('b')] });
    const first = one.translate(before).snapshot;
    const [a, b] = before.services;
    if (a === undefined || b === undefined) throw new Error('no services');
    const changed = { ...a, instances: a.instances.map((instance) => ({ ...instance, health: 'draining' as const })) };
    const second = one.translate({ ...before, services: [changed, b] }).snapshot;
    const differing = [...second.types]
      .filter(([url, set]) => set.version !== first.types.get(url)?.version)
      .map(([url]) => url.slice(url.lastIndexOf('.') + 1));
    expect(differing).toEqual(['ClusterLoadAssignment']);
  });

  it('closes a full instance in every pool that it is part of, whosever it is, and opens it again', () => {
    const open = new Map([['a-0', 2]]);
    const one = translator((instance) => open.get(instance));
    const tags = { tier: 'gold' };
    const fleet = fleetOf({
      services: [
        { name: 'a', tags, gateway: { limits: { sessionsPerInstance: 2 } }, instances: [{ tags }] },
        { name: 'b', tags, instances: [{ tags }] },
      ],
    });
    one.translate(fleet);
    expect(one.closed(':?gold,tier=gold')).toEqual(new Set(['a-0']));
    open.set('a-0', 1);
    one.refresh('capacity');
    expect(one.closed(':?gold,tier=gold')).toEqual(new Set());
  });

  it('does not depend on the order of what it is given', () => {
    const versions = (input: Input): string[] =>
      [...translator().translate(fleetOf(input)).snapshot.types.values()].map((set) => set.version);
    const routes = [
      { name: 'x', spec: { match: { path: { prefix: '/x' } }, target: { service: 'a' } } },
      { name: 'y', spec: { match: { path: { exact: '/y' } }, target: { service: 'b' } } },
    ];
    expect(versions({ services: [service('a'), service('b')], routes: [...routes].reverse() })).toEqual(
      versions({ services: [service('a'), service('b')], routes }),
    );
  });
});
