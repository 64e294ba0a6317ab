import { describe, expect, it } from 'vitest';
import { encode } from './encode.ts';
import { bytesAt, numberAt, textsAt } from './fields.ts';

describe('fields by number', () => {
  const body = encode('envoy.config.route.v3.RouteConfiguration', {
    name: 'r',
    virtual_hosts: [
      {
        name: 'v',
        domains: ['*'],
        routes: [
          { match: { prefix: '/a' }, route: { cluster: 'a' } },
          {
            match: { prefix: '/b' },
            route: { weighted_clusters: { clusters: [{ name: 'b', weight: 1 }, { name: 'c' }] } },
          },
        ],
      },
    ],
  });

  it('finds every value at a path', () => {
    expect(textsAt(body, [1])).toEqual(['r']);
    expect(textsAt(body, [2, 3, 2, 1])).toEqual(['a']);
    expect(textsAt(body, [2, 3, 2, 3, 1, 1])).toEqual(['b', 'c']);
    expect(textsAt(body, [7])).toEqual([]);
  });

  it('reads a number, 0 when there is none', () => {
    const cluster = encode('envoy.config.cluster.v3.Cluster', { name: 'c', type: 'EDS' });
    expect([numberAt(cluster, 2), numberAt(cluster, 99)]).toEqual([3, 0]);
  });

  it('refuses what is no message', () => {
    expect(() => bytesAt(new Uint8Array([0x0a, 0x7f, 1]), [1])).toThrow();
  });
});
