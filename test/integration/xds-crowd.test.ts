/** Many peers at once on the real wire: what waits for those who do not read is bounded, over all of them, and nobody else has to suffer for them. */
import { connect } from 'node:http2';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { grpcService } from '@switchboard/proto';
import { afterEach, expect, it } from 'vitest';
import { createLog } from '../../control-plane/src/log.ts';
import { startXdsServer } from '../../control-plane/src/xds/server.ts';
import { snapshot } from '../../control-plane/src/xds/testing.ts';
import { CLUSTER, ENDPOINT } from '../../control-plane/src/xds/types.ts';
import { openDiscovery, type Discovery } from '../support/xds-client.ts';

const MIB = 1024 * 1024;
const NAMES = { resource_names: ['large'], resource_names_subscribe: ['large'] };
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const large = (version: string, bytes: number) => ({
  version,
  resources: new Map([['large', { name: 'large', version, body: Buffer.alloc(bytes, 1) }]]),
});

function client(port: number, variant: 'sotw' | 'delta', id: string): Discovery {
  const opened = openDiscovery({ port, variant, node: { id } });
  open.push(() => {
    opened.close();
  });
  return opened;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of buffers that are in use, and not only not collected yet. */
function held(): number {
  collect();
  return process.memoryUsage().external;
}

/** Asks, and reads nothing of what comes. */
function stuck(port: number, variant: 'sotw' | 'delta', id: string): { readonly isOver: () => boolean } {
  const method = variant === 'sotw' ? 'StreamAggregatedResources' : 'DeltaAggregatedResources';
  const definition = grpcService('envoy.service.discovery.v3.AggregatedDiscoveryService')[method];
  if (definition === undefined) throw new Error(`no ${method}`);
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  const call = session.request({
    ':method': 'POST',
    ':path': definition.path,
    'content-type': 'application/grpc+proto',
    te: 'trailers',
  });
  let isOver = false;
  call.on('error', () => undefined);
  call.on('close', () => {
    isOver = true;
  });
  const message = definition.requestSerialize({ node: { id }, type_url: ENDPOINT, ...NAMES });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  call.write(Buffer.concat([head, message]));
  open.push(() => {
    session.destroy();
  });
  return { isOver: () => isOver };
}

it.each(['sotw', 'delta'] as const)(
  'a crowd that never reads fills no memory, and holds up nobody: %s',
  async (variant) => {
    let opened = 0;
    const server = await startXdsServer({
      host: '127.0.0.1',
      port: 0,
      log: createLog('silent'),
      now: () => Date.now(),
      limits: { bytesInFlight: 32 * MIB, slowMs: 500 },
      measure: (one) => {
        if (one.kind === 'opened') opened += 1;
      },
    });
    open.push(async () => server.close());
    const content = (n: number) => snapshot(n, { cds: { a: String(n) } }, { [ENDPOINT]: large(String(n), 4 * MIB) });
    server.publish(content(1));
    const reader = client(server.port, variant, 'reader');
    reader.request({ type_url: CLUSTER });
    reader.ack(await reader.next());
    const before = held();
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, held() - before);
    }, 250);
    open.push(() => {
      clearInterval(watch);
    });
    const crowd = Array.from({ length: 40 }, (_, n) => stuck(server.port, variant, `stuck-${n}`));
    await expect.poll(() => opened, { timeout: 30_000 }).toBe(41);
    // Small changes go at once to whoever reads.
    server.publish(content(2));
    expect((await reader.next()).type_url).toBe(CLUSTER);
    // Large ones as soon as some of those that do not read are gone.
    reader.request({ type_url: ENDPOINT, ...NAMES });
    let response = await reader.next(60_000);
    while (response.type_url !== ENDPOINT) response = await reader.next(60_000);
    expect(response.resources).toHaveLength(1);
    clearInterval(watch);
    // Room for what is on its way, and for what the reader in this process holds; all of it at once were 160 MiB.
    expect(most).toBeLessThan(100 * MIB);
    // They are gone for good, and what they did not read with them.
    expect(crowd.filter(({ isOver }) => isOver()).length).toBeGreaterThan(0);
  },
  120_000,
);
