/** What Envoy's access log tells of many sessions, as a process: arguments port, sessions, opens a second, interval in ms. */
import { randomUUID } from 'node:crypto';
import { Client, credentials, type ClientWritableStream } from '@grpc/grpc-js';
import { encode } from '@switchboard/proto';

const [port = '', sessions = '', eachSecond = '', interval = ''] = process.argv.slice(2);
const TICK_MS = 100;
const TYPE = 'envoy.service.accesslog.v3.StreamAccessLogsMessage';
const identity = (bytes: Buffer): Buffer => bytes;

const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
const stream: ClientWritableStream<Buffer> = client.makeClientStreamRequest(
  '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs',
  identity,
  identity,
  () => undefined,
);

const address = (host: string, value: number): object => ({ socket_address: { address: host, port_value: value } });

function entry(id: string, number: number, type: string): object {
  return {
    common_properties: {
      sample_rate: 1,
      stream_id: id,
      access_log_type: type,
      upstream_cluster: 'weather',
      upstream_remote_address: address('127.0.0.1', 9_100 + (number % 50)),
      upstream_local_address: address('127.0.0.1', 30_000 + (number % 20_000)),
      downstream_remote_address: address('10.0.0.7', 1_024 + (number % 60_000)),
      downstream_local_address: address('10.0.0.1', 8_800),
      start_time: new Date().toISOString(),
      duration: '12.5s',
      route_name: 'service/weather',
      filter_state_objects: {
        'switchboard.path': { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: '/agents/weather' },
      },
      downstream_wire_bytes_sent: '12345',
      downstream_wire_bytes_received: '2345',
      response_flags: type === 'DownstreamEnd' ? { downstream_connection_termination: true } : {},
    },
    request: {
      path: '/',
      user_agent: 'bench/1.0',
      request_headers: { 'x-forwarded-for': '10.0.0.7' },
    },
    response: { response_code: 101, response_code_details: 'via_upstream' },
  };
}

function send(entries: readonly object[]): void {
  stream.write(
    Buffer.from(
      encode(TYPE, { identifier: { node: { id: 'bench' }, log_name: 's' }, http_logs: { log_entry: entries } }),
    ),
  );
}

let made = 0;
const open: { id: string; number: number }[] = [];
function begin(): object {
  const one = { id: randomUUID(), number: (made += 1) };
  open.push(one);
  return entry(one.id, one.number, 'DownstreamTunnelSuccessfullyEstablished');
}

while (open.length < Number(sessions)) send(Array.from({ length: 100 }, begin));
let told = 0;
setInterval(() => {
  const fresh = (Number(eachSecond) * TICK_MS) / 1_000;
  const records: object[] = [];
  for (let count = 0; count < fresh; count += 1) {
    const ended = open.shift();
    if (ended !== undefined) records.push(entry(ended.id, ended.number, 'DownstreamEnd'));
    records.push(begin());
  }
  for (let count = 0; count < (Number(sessions) * TICK_MS) / Number(interval); count += 1) {
    told = (told + 1) % open.length;
    const one = open[told];
    if (one !== undefined) records.push(entry(one.id, one.number, 'DownstreamPeriodic'));
  }
  send(records);
}, TICK_MS);
process.send?.('feeding');
