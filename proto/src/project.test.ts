import { describe, expect, it } from 'vitest';
import { encode } from './encode.ts';
import { projection } from './project.ts';

const TYPE = 'envoy.data.accesslog.v3.HTTPAccessLogEntry';

describe('a projection', () => {
  it('reads what is wanted and passes over the rest', () => {
    const bytes = encode(TYPE, {
      common_properties: {
        sample_rate: 0.5,
        stream_id: 'x-1',
        access_log_type: 'DownstreamEnd',
        downstream_wire_bytes_sent: '5000000000',
        upstream_cluster: 'weather',
        custom_tags: { a: 'b', c: '' },
        filter_state_objects: {
          id: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: 's-1' },
          none: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: '' },
        },
        duration: '1.5s',
      },
      request: { path: '/天气', user_agent: 'not wanted' },
      protocol_version: 'HTTP11',
    });
    const read = projection(TYPE, {
      common_properties: {
        stream_id: true,
        access_log_type: true,
        downstream_wire_bytes_sent: true,
        route_name: true,
        custom_tags: true,
        filter_state_objects: true,
        duration: { seconds: true, nanos: true },
      },
      request: { path: true },
    });
    expect(read(bytes)).toEqual({
      common_properties: {
        stream_id: 'x-1',
        access_log_type: 'DownstreamEnd',
        downstream_wire_bytes_sent: 5_000_000_000,
        custom_tags: [
          ['a', 'b'],
          ['c', ''],
        ],
        filter_state_objects: [
          ['id', 's-1'],
          ['none', ''],
        ],
        duration: { seconds: 1, nanos: 500_000_000 },
      },
      request: { path: '/天气' },
    });
  });

  it('reads every element of a repeated message', () => {
    const bytes = encode('envoy.config.endpoint.v3.ClusterStats', {
      cluster_name: 'a',
      upstream_locality_stats: [{ total_error_requests: 1 }, { total_error_requests: 300 }],
    });
    expect(
      projection('envoy.config.endpoint.v3.ClusterStats', { upstream_locality_stats: { total_error_requests: true } })(
        bytes,
      ),
    ).toEqual({ upstream_locality_stats: [{ total_error_requests: 1 }, { total_error_requests: 300 }] });
  });

  it('refuses what the message does not have, and bytes that are cut', () => {
    expect(() => projection(TYPE, { nothing: true })).toThrow('has no field nothing');
    const bytes = encode(TYPE, { request: { path: '/long enough' } });
    expect(() => projection(TYPE, { request: { path: true } })(bytes.subarray(0, 8))).toThrow();
  });
});
