import { EventEmitter } from 'node:events';
import { encode } from '@switchboard/proto';
import { expect, it } from 'vitest';
import { accessLogService } from './access-log.ts';
import type { SeenSession } from './session.ts';
import type { SessionTable } from './sessions.ts';

/** What the table is told of a session with this in its record. */
function seen(common: object): SeenSession['told'] | undefined {
  let told: SeenSession['told'] | undefined;
  const table: Pick<SessionTable, 'heard' | 'upsert'> = {
    heard: () => false,
    upsert: (session) => {
      ({ told } = session);
    },
  };
  const { definition, handlers } = accessLogService(table as SessionTable);
  const entry = {
    common_properties: {
      stream_id: 'x',
      access_log_type: 'DownstreamTunnelSuccessfullyEstablished',
      upstream_remote_address: { socket_address: { address: '127.0.0.1', port_value: 9000 } },
      ...common,
    },
  };
  const bytes = encode('envoy.service.accesslog.v3.StreamAccessLogsMessage', { http_logs: { log_entry: [entry] } });
  const call = new EventEmitter();
  const handler = handlers['StreamAccessLogs'] as unknown as (call: EventEmitter, done: () => void) => void;
  handler(call, () => undefined);
  call.emit('data', definition['StreamAccessLogs']?.requestDeserialize(Buffer.from(bytes)));
  return told;
}

const address = (ip: string, port: number): object => ({
  downstream_remote_address: { socket_address: { address: ip, port_value: port } },
});

it.each([
  ['where the connection comes from', address('10.0.0.7', 4000), '10.0.0.7:4000'],
  ['the same over IPv6', address('2001:db8::7', 4000), '[2001:db8::7]:4000'],
  ['what a proxy tells, which is no port', address('203.0.113.7', 0), '203.0.113.7'],
  ['the same over IPv6, without a port', address('2001:db8::7', 0), '[2001:db8::7]'],
])('the client is %s', (_, common, client) => {
  expect(seen(common)?.client).toBe(client);
});

it('the principal is what a filter has left as a value of the request; else nobody was asked', () => {
  const value = { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: 'key:ann' };
  expect(seen({ filter_state_objects: { 'switchboard.principal': value } })?.principal).toBe('key:ann');
  expect(seen({})?.principal).toBeNull();
});
