import { describe, expect, it } from 'vitest';
import { decode, encode, encodeWith, EncodeError, grpcService } from './index.ts';

const CLUSTER = 'envoy.config.cluster.v3.Cluster';
const ROUTE = 'envoy.config.route.v3.RouteConfiguration';

function errorOf(type: string, json: unknown): EncodeError {
  try {
    encode(type, json);
  } catch (error) {
    if (error instanceof EncodeError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('encode', () => {
  it('takes proto3 JSON and gives back the same', () => {
    const cluster = {
      name: 'weather',
      type: 'EDS',
      eds_cluster_config: { eds_config: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '1s' } },
      connect_timeout: '0.250s',
      circuit_breakers: { thresholds: [{ max_requests: 5 }] },
      common_lb_config: { healthy_panic_threshold: { value: 0.5 } },
      health_checks: [
        {
          timeout: '1s',
          interval: '2s',
          unhealthy_threshold: 2,
          healthy_threshold: 1,
          name: 'ws',
          http_health_check: { path: '/', expected_statuses: [{ start: '100', end: '500' }] },
        },
      ],
      metadata: { filter_metadata: { switchboard: { a: 'b', list: [1, true, null, { deep: 'x' }] } } },
    };
    const shown = decode(CLUSTER, encode(CLUSTER, cluster));
    expect(shown).toEqual({
      ...cluster,
      connect_timeout: '0.25s',
      health_checks: [
        {
          ...cluster.health_checks[0],
          http_health_check: { path: '/', expected_statuses: [{ start: 100, end: 500 }] },
        },
      ],
    });
  });

  it('opens and encodes an Any, also one within a TypedStruct', () => {
    const filter = {
      name: 'f',
      typed_config: {
        '@type': 'type.googleapis.com/xds.type.v3.TypedStruct',
        type_url: 'type.googleapis.com/unknown.Filter',
        value: { key: 'x', n: 2 },
      },
    };
    const type = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter';
    expect(decode(type, encode(type, filter))).toEqual(filter);
  });

  it('knows an Any that holds nothing', () => {
    const type = 'envoy.config.route.v3.FilterConfig';
    expect([...encode(type, { config: {} })]).toEqual([10, 0]);
    expect(decode(type, encode(type, { config: {} }))).toEqual({ config: {} });
  });

  it('gives the same bytes for the same content in another order, maps included', () => {
    const one = {
      name: 'r',
      metadata_a: undefined,
      virtual_hosts: [{ name: 'v', domains: ['*'], typed_per_filter_config: {} }],
    };
    const meta = (keys: string[]): object => ({
      name: 'c',
      metadata: { filter_metadata: Object.fromEntries(keys.map((key) => [key, { [key]: 1, a: 2 }])) },
    });
    expect(Buffer.from(encode(CLUSTER, meta(['x', 'y', 'z'])))).toEqual(
      Buffer.from(encode(CLUSTER, meta(['z', 'x', 'y']))),
    );
    expect(() => encode(ROUTE, one)).not.toThrow();
  });

  it('takes lowerCamelCase too', () => {
    expect(Buffer.from(encode(CLUSTER, { connectTimeout: '1s' }))).toEqual(
      Buffer.from(encode(CLUSTER, { connect_timeout: '1s' })),
    );
  });

  it.each([
    [CLUSTER, { nope: 1 }, 'nope', 'unknown field'],
    [CLUSTER, { type: 'EDSX' }, 'type', 'must be one of STATIC'],
    [CLUSTER, { connect_timeout: 3 }, 'connect_timeout', 'must be a duration'],
    [CLUSTER, { connect_timeout: '3' }, 'connect_timeout', 'must be a duration'],
    [
      CLUSTER,
      { circuit_breakers: { thresholds: [{ max_requests: -1 }] } },
      'circuit_breakers.thresholds[0].max_requests',
      'from 0 to',
    ],
    [CLUSTER, { circuit_breakers: { thresholds: {} } }, 'circuit_breakers.thresholds', 'must be a list'],
    [CLUSTER, { name: 4 }, 'name', 'must be a text, not 4'],
    [CLUSTER, { metadata: { filter_metadata: { x: 3 } } }, 'metadata.filter_metadata["x"]', 'must be an object'],
    [
      CLUSTER,
      { typed_extension_protocol_options: { a: { '@type': 'type.googleapis.com/no.Such' } } },
      'typed_extension_protocol_options["a"].@type',
      'is not a known type',
    ],
    [
      CLUSTER,
      { typed_extension_protocol_options: { a: { x: 1 } } },
      'typed_extension_protocol_options["a"].@type',
      'is missing',
    ],
    [CLUSTER, { connect_timeout: '1s', connectTimeout: '1s' }, 'connectTimeout', 'stands twice'],
    [
      CLUSTER,
      { lb_policy: 'MAGLEV', maglev_lb_config: {}, ring_hash_lb_config: {} },
      'ring_hash_lb_config',
      'can not stand beside maglev_lb_config',
    ],
    [
      ROUTE,
      { virtual_hosts: [{ routes: [{ match: { prefix: '/', nope: 1 } }] }] },
      'virtual_hosts[0].routes[0].match.nope',
      'unknown field',
    ],
    [ROUTE, 'text', '', 'must be an object'],
  ])('refuses what is wrong with its path: %s %j', (type, json, path, message) => {
    const error = errorOf(type, json);
    expect(error.path).toBe(path);
    expect(error.message).toContain(message);
  });
});

describe('grpcService', () => {
  it('passes a resource through as bytes', () => {
    const method = grpcService('envoy.service.discovery.v3.AggregatedDiscoveryService')['StreamAggregatedResources'];
    const value = Buffer.from(encode(CLUSTER, { name: 'weather' }));
    const bytes = method?.responseSerialize({ version_info: '1', resources: [{ type_url: 'x', value }], nonce: 'n' });
    expect(method?.responseDeserialize(bytes ?? Buffer.alloc(0))).toMatchObject({
      version_info: '1',
      nonce: 'n',
      resources: [{ type_url: 'x', value }],
    });
    expect(method?.path).toBe('/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources');
  });
});

describe('encodeWith', () => {
  it('gives the same message as encoding all at once', () => {
    const routes = ['/a', '/b'].map((path) => ({
      name: path,
      match: { path },
      route: { cluster: 'c', timeout: '5s' },
    }));
    const host = { name: 'all', domains: ['*'] };
    const type = 'envoy.config.route.v3.VirtualHost';
    const parts = routes.map((route) => encode('envoy.config.route.v3.Route', route));
    expect(decode(type, encodeWith(type, host, 'routes', parts))).toEqual(
      decode(type, encode(type, { ...host, routes })),
    );
  });
});
