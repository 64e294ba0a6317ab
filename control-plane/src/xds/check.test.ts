/** The check of what changed finds what the check of the whole does, over random changes that now and then break something. */
import { encode } from '@switchboard/proto';
import { expect, it } from 'vitest';
import { seeded } from '../../../test/support/random.ts';
import { checkSnapshot, createChecker } from './check.ts';
import { differenceOf, type Snapshot, type TypeUrl, type XdsResource } from './snapshot.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE } from './types.ts';

const HCM = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

function resource(type: TypeUrl, name: string, json: object, broken = false): XdsResource {
  const body = broken ? new Uint8Array([0x0a, 0x7f, 1]) : encode(type.slice(type.indexOf('/') + 1), json);
  return { name, version: Buffer.from(body).toString('base64'), body };
}

const cluster = (name: string, to = name, broken = false): XdsResource =>
  resource(
    CLUSTER,
    name,
    { name, type: 'EDS', eds_cluster_config: { eds_config: { ads: {} }, service_name: to } },
    broken,
  );
const endpoints = (name: string, weight: number): XdsResource =>
  resource(ENDPOINT, name, { cluster_name: name, policy: { overprovisioning_factor: 100 + weight } });
const routes = (name: string, to: readonly string[]): XdsResource =>
  resource(ROUTE, name, {
    name,
    virtual_hosts: [
      { name: 'v', domains: ['*'], routes: to.map((one) => ({ match: { prefix: '/' }, route: { cluster: one } })) },
    ],
  });
const listener = (name: string, to: string): XdsResource =>
  resource(LISTENER, name, {
    name,
    filter_chains: [
      {
        filters: [
          { name: 'hcm', typed_config: { '@type': HCM, rds: { route_config_name: to, config_source: { ads: {} } } } },
        ],
      },
    ],
  });

it.each([1, 2, 3, 4, 5])('is told the same, seed %i', (start) => {
  const dice = seeded(start);
  const random = (below: number): number => dice.below(below);
  const names = ['a', 'b', 'c', 'd'];
  const name = (): string => names[random(names.length)] ?? 'a';
  const sets = new Map<TypeUrl, Map<string, XdsResource>>(
    [CLUSTER, ENDPOINT, LISTENER, ROUTE].map((type) => [type, new Map<string, XdsResource>()]),
  );
  const put = (type: TypeUrl, one: XdsResource, under = one.name): void => {
    sets.get(type)?.set(under, one);
  };
  put(LISTENER, listener('l', 'r'));
  put(ROUTE, routes('r', []));
  const steps: (() => void)[] = [
    () => {
      const one = name();
      put(CLUSTER, cluster(one));
      put(ENDPOINT, endpoints(one, random(5)));
    },
    () => {
      const there = [...(sets.get(CLUSTER)?.keys() ?? [])].filter(() => random(2) === 0);
      put(ROUTE, routes('r', there));
    },
    () => {
      const one = name();
      sets.get(CLUSTER)?.delete(one);
      sets.get(ENDPOINT)?.delete(one);
    },
    () => {
      put(ENDPOINT, endpoints(name(), random(5)));
    },
    () => {
      put(CLUSTER, cluster(name(), name()));
    },
    () => {
      if (random(4) === 0) put(CLUSTER, cluster(name(), name(), true));
    },
    () => {
      if (random(4) === 0) put(CLUSTER, cluster(name()), name());
    },
    () => {
      if (random(4) === 0) put(LISTENER, listener('l', random(2) === 0 ? 'r' : 'other'));
    },
    () => {
      sets.get(CLUSTER)?.clear();
      sets.get(ENDPOINT)?.clear();
      put(ROUTE, routes('r', []));
      put(LISTENER, listener('l', 'r'));
    },
  ];
  let wholes = 0;
  let good = 0;
  const checker = createChecker((...given) => {
    wholes += 1;
    return checkSnapshot(...given);
  });
  let before: Snapshot | undefined;
  for (let round = 0; round < 400; round += 1) {
    for (let n = random(3); n >= 0; n -= 1) steps[random(steps.length)]?.();
    const snapshot: Snapshot = {
      revision: round,
      types: new Map([...sets].map(([type, set]) => [type, { version: String(round), resources: new Map(set) }])),
    };
    const difference = differenceOf(before, snapshot);
    const expected = checkSnapshot(snapshot, before);
    const told = checker.check(snapshot, before, difference);
    const breaking = (all: typeof told): unknown => all.filter(({ breaks }) => breaks);
    expect(breaking(told)).toEqual(breaking(expected));
    if (expected.length === 0) good += 1;
    before = snapshot;
  }
  expect(good).toBeGreaterThan(40);
  // What holds together on what held together is not looked at whole.
  expect(wholes).toBeLessThan(400 - good / 4);
});
