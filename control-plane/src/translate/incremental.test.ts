/** What is kept from one translation to the next changes nothing: after any changes the bytes are those of a translator that sees the fleet for the first time. */
import { expect, it } from 'vitest';
import { seeded } from '../../../test/support/random.ts';
import type { FleetService, FleetView } from '../model/fleet.ts';
import { RouteSpec } from '../model/route.ts';
import { ServiceGateway } from '../model/service.ts';
import { routingPolicies } from '../routing/policies.ts';
import { differenceOf, type Snapshot, type XdsResource } from '../xds/snapshot.ts';
import { createTranslator, type Translator } from './create.ts';
import { changedSet, setOf } from './resource.ts';

const translator = (): Translator =>
  createTranslator({
    gateway: { host: '127.0.0.1', port: 8800 },
    controlPlaneCluster: 'xds',
    sessionReportMs: 10_000,
    instanceToken: (instance) => instance,
    signals: () => undefined,
    policies: new Map(routingPolicies.map((policy) => [policy.name, policy])),
  });

const GATEWAYS = [
  {},
  { policy: { type: 'random' } },
  { affinity: { type: 'cookie' } },
  { hints: ['random'] },
  { limits: { newPerClient: { perSecond: 1 } } },
].map((one) => ServiceGateway.parse(one));

/** Some names stand below others, so that their routes do too. */
const PATHS = ['/agents', '/agents/s-1', '/a', '/a/b', '/a/b/c', '/ab', '/ws', '/ws/x'];

function shown(snapshot: Snapshot): Record<string, Record<string, string>> {
  return Object.fromEntries(
    [...snapshot.types].map(([type, { version, resources }]) => [
      type,
      Object.fromEntries([
        ['', version],
        ...[...resources].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, one]) => [name, one.version]),
      ]),
    ]),
  );
}

it.each([0, 190, 230])('keeps nothing wrong over random changes, from %i services on', (least) => {
  const dice = seeded(7 + least);
  const random = (below: number): number => dice.below(below);
  let revision = 0;
  const service = (n: number): FleetService => ({
    name: `s-${n}`,
    gateway: GATEWAYS[n % 20 === 0 ? random(GATEWAYS.length) : 0] ?? ServiceGateway.parse({}),
    ...(random(10) === 0 ? { tags: { tier: String(random(2)) } } : {}),
    instances: Array.from({ length: random(3) }, (_, k) => ({
      id: `s-${n}-${k}`,
      host: '127.0.0.1',
      port: 9000 + random(5),
      weight: 1,
      version: 1,
      tags: random(20) === 0 ? { kind: 'x' } : {},
      zone: '',
      health: 'healthy' as const,
    })),
  });
  const services = new Map(Array.from({ length: least }, (_, n) => [n, service(n)]));
  const routes = new Map<string, FleetView['routes'][number]>();
  const change = (): void => {
    const n = random(least + 20);
    if (random(3) === 0) services.delete(n);
    else services.set(n, service(n));
    if (random(2) === 0) return;
    const name = `r-${random(8)}`;
    if (random(3) === 0) {
      routes.delete(name);
      return;
    }
    const path = PATHS[random(PATHS.length)] ?? '/';
    const match = random(6) === 0 ? {} : { path: random(2) === 0 ? { prefix: path } : { exact: path } };
    const target = random(5) === 0 ? { tags: { tier: '1' } } : { service: `s-${random(least + 20)}` };
    routes.set(name, { name, spec: RouteSpec.parse({ match, target, priority: random(3) }) });
  };
  const kept = translator();
  let before: Snapshot | undefined;
  for (let round = 0; round < (least === 0 ? 60 : 25); round += 1) {
    for (let n = random(4); n >= 0; n -= 1) change();
    revision += 1;
    const fleet = {
      revision,
      generation: revision,
      services: [...services.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
      routes: [...routes.values()],
    };
    const { snapshot, problems } = kept.translate(fleet);
    const whole = translator().translate(fleet);
    expect(shown(snapshot)).toEqual(shown(whole.snapshot));
    expect(problems).toEqual(whole.problems);
    // What is told of the difference is what a comparison of the whole finds.
    const plain = (one: Snapshot): Snapshot => ({
      ...one,
      types: new Map([...one.types].map(([type, { version, resources }]) => [type, { version, resources }])),
    });
    const sorted = (difference: ReturnType<typeof differenceOf>): unknown =>
      [...difference].map(([type, names]) => [type, [...names].sort()]);
    if (before !== undefined)
      expect(sorted(differenceOf(before, snapshot))).toEqual(sorted(differenceOf(plain(before), plain(snapshot))));
    before = snapshot;
  }
});

it('a set that is changed has the version of one made anew, and the one before is as it was', () => {
  const one = (name: string, version: string): XdsResource => ({ name, version, body: new Uint8Array() });
  const [a, b, c] = [one('a', '00000000000000ff'), one('b', 'ffffffffffffffff'), one('c', '0000000000000001')];
  const first = setOf([a, b]);
  const second = changedSet(
    first,
    new Map([
      ['a', undefined],
      ['c', c],
      ['b', b],
      ['d', undefined],
    ]),
  );
  expect(second.version).toBe(setOf([c, b]).version);
  expect(second.change).toEqual({ since: first.version, names: ['a', 'c'] });
  expect([...first.resources.keys()]).toEqual(['a', 'b']);
  expect(changedSet(second, new Map([['c', { ...c }]]))).toBe(second);
  expect(changedSet(second, new Map([...second.resources.keys()].map((name) => [name, undefined]))).version).toBe(
    setOf([]).version,
  );
});
