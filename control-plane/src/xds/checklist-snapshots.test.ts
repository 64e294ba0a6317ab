/** The checklist, rows 35 to 40: snapshots and versions. */
import { createHash } from 'node:crypto';
import { encode, messageType } from '@switchboard/proto';
import { describe, expect, it } from 'vitest';
import { checkSnapshot } from './check.ts';
import { delta } from './delta.ts';
import type { Snapshot, TypeSet, TypeUrl } from './snapshot.ts';
import { sotw } from './sotw.ts';
import {
  ackAll,
  ask,
  decoded,
  make,
  message,
  call,
  names,
  nonceOf,
  snapshot,
  time,
  typeSet,
  typesOf,
} from './testing.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE } from './types.ts';
import { deltaWire, sotwWire } from './wire.ts';

function real(types: Record<TypeUrl, object[]>): Snapshot {
  const sets = Object.entries(types).map(([type, list]): [TypeUrl, TypeSet] => {
    const resources = list.map((json) => {
      const one = json as { name?: string; cluster_name?: string };
      const body = encode(type.slice(type.indexOf('/') + 1), json);
      return {
        name: one.name ?? one.cluster_name ?? '',
        body,
        version: createHash('sha256').update(body).digest('hex'),
      };
    });
    return [type, { version: '1', resources: new Map(resources.map((one) => [one.name, one])) }];
  });
  return { revision: 1, types: new Map(sets) };
}

const eds = (name: string, service?: string): object => ({
  name,
  type: 'EDS',
  eds_cluster_config: { eds_config: { ads: {} }, ...(service === undefined ? {} : { service_name: service }) },
});
const HCM = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const manager = (routes: string): object => ({
  '@type': HCM,
  stat_prefix: 'x',
  rds: { route_config_name: routes, config_source: { ads: {} } },
});
const listener = (name: string, routes: string): object => ({
  name,
  filter_chains: [{ filters: [{ name: 'hcm', typed_config: manager(routes) }] }],
});
const routes = (name: string, ...clusters: string[]): object => ({
  name,
  virtual_hosts: [
    { name: 'v', domains: ['*'], routes: clusters.map((cluster) => ({ match: { prefix: '/' }, route: { cluster } })) },
  ],
});

const listed = (...clusters: string[]): object => ({
  action: {
    name: 'routes',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.config.route.v3.RouteList',
      routes: clusters.map((cluster) => ({ match: { prefix: '/' }, route: { cluster } })),
    },
  },
});
const tree = (name: string, below: string, otherwise: string): object => ({
  name,
  virtual_hosts: [
    {
      name: 'v',
      domains: ['*'],
      matcher: {
        matcher_tree: {
          input: {
            name: 'path',
            typed_config: {
              '@type': 'type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput',
              header_name: ':path',
            },
          },
          prefix_match_map: { map: { '/a': listed(below) } },
        },
        on_no_match: listed(otherwise),
      },
    },
  ],
});

describe('35: a snapshot holds together', () => {
  const whole = {
    [CLUSTER]: [eds('a'), { name: 's', type: 'STATIC' }],
    [ENDPOINT]: [{ cluster_name: 'a' }],
    [LISTENER]: [listener('l', 'r')],
    [ROUTE]: [routes('r', 'a', 's')],
  };
  const cases: [string, Record<TypeUrl, object[]>, string[]][] = [
    ['whole', whole, []],
    ['nothing at all', {}, []],
    ['endpoints are missing', { ...whole, [ENDPOINT]: [] }, ['a leads to eds a, which is not there']],
    [
      'endpoints of nobody',
      { ...whole, [ENDPOINT]: [{ cluster_name: 'a' }, { cluster_name: 'b' }] },
      ['b nothing leads to it'],
    ],
    [
      'endpoints of a static cluster',
      { ...whole, [ENDPOINT]: [{ cluster_name: 'a' }, { cluster_name: 's' }] },
      ['s nothing leads to it'],
    ],
    ['endpoints by service name', { [CLUSTER]: [eds('a', 'other')], [ENDPOINT]: [{ cluster_name: 'other' }] }, []],
    ['routes are missing', { ...whole, [ROUTE]: [] }, ['l leads to rds r, which is not there']],
    ['routes of nobody', { ...whole, [ROUTE]: [routes('r', 'a'), routes('q')] }, ['q nothing leads to it']],
    [
      'routes to no cluster',
      { ...whole, [ROUTE]: [routes('r', 'ghost')] },
      ['r leads to cds ghost, which is not there'],
    ],
    ['routes in a tree', { ...whole, [ROUTE]: [tree('r', 'a', 's')] }, []],
    [
      'routes in a tree to no cluster',
      { ...whole, [ROUTE]: [tree('r', 'ghost', 'spook')] },
      ['r leads to cds ghost, which is not there', 'r leads to cds spook, which is not there'],
    ],
    ['two listeners for one set of routes', { ...whole, [LISTENER]: [listener('l', 'r'), listener('m', 'r')] }, []],
    [
      'the listener of a gRPC client',
      { ...whole, [LISTENER]: [{ name: 'l', api_listener: { api_listener: manager('r') } }] },
      [],
    ],
  ];
  it.each(cases)('%s', (_, types, expected) => {
    expect(checkSnapshot(real(types)).map(({ name, message: text }) => `${name} ${text}`)).toEqual(expected);
  });

  it('names are those within, and bytes that are no message are told, not thrown', () => {
    const body = encode('envoy.config.cluster.v3.Cluster', { name: 'b', type: 'STATIC' });
    const resources = new Map([
      ['a', { name: 'a', version: '1', body }],
      ['bad', { name: 'bad', version: '1', body: new Uint8Array([0x0a, 0x7f, 0x01]) }],
    ]);
    const found = checkSnapshot({ revision: 1, types: new Map([[CLUSTER, { version: '1', resources }]]) });
    expect(found).toMatchObject([
      { name: 'a', message: 'stands under the name a, but is b' },
      { name: 'bad', message: expect.stringContaining('no message') as unknown },
    ]);
  });
});

describe.each([sotw, delta])('snapshots: $name', (variant) => {
  const keep = variant === sotw ? { [ENDPOINT]: ['a'] } : {};

  it('36: who does not read gets nothing, keeps the subscription, and later the newest', () => {
    const stream = make(variant, snapshot(1, { eds: { a: '1' } }));
    ackAll(stream, stream.request(ask(ENDPOINT, ['a'])), keep);
    stream.writable(false);
    expect(stream.snapshot(snapshot(2, { eds: { a: '2' } })).sends).toEqual([]);
    expect(stream.snapshot(snapshot(3, { eds: { a: '3' } })).sends).toEqual([]);
    expect(names(stream.writable(true))).toEqual(['a@3']);
  });

  it('37: a snapshot that is set while another is answered is not lost; what is cleared holds what was', () => {
    const stream = make(variant, snapshot(1, { eds: { a: '1' } }));
    const first = stream.request(ask(ENDPOINT, ['a']));
    for (let revision = 2; revision < 50; revision += 1)
      stream.snapshot(snapshot(revision, { eds: { a: String(revision) } }));
    expect(ackAll(stream, first, keep)).toEqual(['a@1', 'a@49']);
    expect(stream.settledRevision()).toBe(49);
  });

  it('38: what has a lifetime is confirmed before it is over, without its body and at the same version; nothing else is', () => {
    const clock = time();
    const stream = make(variant, undefined, { clock: clock.now });
    const types = { [ENDPOINT]: typeSet({ a: '1' }, 1_000), [ROUTE]: typeSet({ r: '1' }) };
    stream.snapshot(snapshot(1, {}, types));
    ackAll(stream, stream.request(ask(ENDPOINT, ['a'])), keep);
    ackAll(stream, stream.request(ask(ROUTE, ['r'])), variant === sotw ? { [ROUTE]: ['r'] } : {});
    clock.advance(499);
    expect(stream.tick().sends).toEqual([]);
    clock.advance((stream.deadline() ?? 0) - clock.now());
    const beat = stream.tick();
    expect([typesOf(beat), names(beat), beat.sends[0]?.heartbeat]).toEqual([[ENDPOINT], ['a@1'], true]);
    const bytes = (variant === sotw ? sotwWire : deltaWire).response(beat.sends[0] as never);
    const [only] = decoded(variant.name, bytes).resources as { value?: Buffer }[];
    const own = messageType('envoy.service.discovery.v3.Resource');
    const wrapped =
      variant === delta ? only : own.toObject(own.decode(only?.value ?? Buffer.alloc(0)), { longs: Number });
    expect(wrapped).toMatchObject({ name: 'a', version: '1', ttl: { seconds: 1 } });
    expect((wrapped as { resource?: unknown }).resource ?? null).toBeNull();
    expect(stream.tick().sends).toEqual([]);
    ackAll(stream, beat, keep);
    expect(stream.deadline()).toBe(1_000);
  });

  it('39: a changed cluster brings its endpoints again', () => {
    const stream = make(variant, snapshot(1, { cds: { a: '1', b: '1' }, eds: { a: '1', b: '1' } }));
    const both = variant === sotw ? { [ENDPOINT]: ['a', 'b'] } : {};
    ackAll(stream, stream.request(ask(CLUSTER)), both);
    ackAll(stream, stream.request(ask(ENDPOINT, ['a', 'b'])), both);
    const change = stream.snapshot(snapshot(2, { cds: { a: '2', b: '1' }, eds: { a: '1', b: '1' } }));
    expect([typesOf(change), names(change)[1]]).toEqual([[CLUSTER, ENDPOINT], 'a@1']);
  });

  it('39: a type that is cleared has a version that tells so', () => {
    const stream = make(variant, snapshot(1, { cds: { a: '1' } }));
    ackAll(stream, stream.request(ask(CLUSTER)));
    const cleared = stream.snapshot(snapshot(2, { cds: {} }));
    expect(cleared.sends[0]?.version).not.toBe('');
    expect(cleared.sends[0]?.version).not.toBe(snapshot(1, { cds: { a: '1' } }).types.get(CLUSTER)?.version);
  });

  it('40: two streams never use a nonce of each other; versions are those of the content, on every replica', () => {
    const streams = ['x-', 'y-'].map((noncePrefix) => make(variant, snapshot(1, { eds: { a: '1' } }), { noncePrefix }));
    const [x, y] = streams.map((stream) => stream.request(ask(ENDPOINT, ['a'])));
    if (x === undefined || y === undefined) throw new Error('no answer');
    expect(nonceOf(x)).not.toBe(nonceOf(y));
    expect(x.sends[0]?.version).toBe(y.sends[0]?.version);
  });
});

it('36: a call whose peer does not read is not written to until it does', () => {
  const fake = call({ variant: 'delta', first: snapshot(1, { cds: { a: '1' } }) });
  fake.isReading = false;
  fake.connection.message(message(CLUSTER));
  fake.connection.message(message(CLUSTER, { response_nonce: fake.written[0]?.nonce }));
  const stream = fake.connection.stream();
  for (let revision = 2; revision < 10; revision += 1)
    fake.connection.handle(
      stream?.snapshot(snapshot(revision, { cds: { a: String(revision) } })) ?? { sends: [], notices: [] },
    );
  expect(fake.written.length).toBe(1);
  fake.isReading = true;
  fake.connection.drained();
  expect(fake.written.map(({ resources }) => (resources[0] as { version: string }).version)).toEqual(['1', '9']);
});
