/** The xDS server on the wire with peers that misbehave: the server stays, others are served, nothing is lost or deleted. */
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createLog } from '../../control-plane/src/log.ts';
import type { Measure } from '../../control-plane/src/xds/measure.ts';
import { startXdsServer, type XdsServer, type XdsServerOptions } from '../../control-plane/src/xds/server.ts';
import { snapshot, typeSet } from '../../control-plane/src/xds/testing.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE } from '../../control-plane/src/xds/types.ts';
import { openDiscovery, type Discovery } from '../support/xds-client.ts';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function serve(options: Partial<XdsServerOptions> = {}): Promise<XdsServer> {
  const server = await startXdsServer({
    host: '127.0.0.1',
    port: 0,
    log: createLog('silent'),
    now: () => Date.now(),
    ...options,
  });
  open.push(async () => server.close());
  return server;
}

function client(server: XdsServer, variant: 'sotw' | 'delta' = 'delta', id = 'node'): Discovery {
  const opened = openDiscovery({ port: server.port, variant, node: { id } });
  open.push(() => {
    opened.close();
  });
  return opened;
}

const big = (size: number): ReturnType<typeof typeSet> => ({
  version: String(size),
  resources: new Map([['big', { name: 'big', version: String(size), body: Buffer.alloc(size, 1) }]]),
});

/** That another Envoy is served, whatever the first one does. */
async function isServed(server: XdsServer): Promise<void> {
  const other = client(server, 'delta', 'other');
  other.request({ type_url: CLUSTER });
  expect((await other.next()).resources.length).toBeGreaterThan(0);
  other.close();
}

describe.each(['sotw', 'delta'] as const)('peers that misbehave: %s', (variant) => {
  it('3 and 4: hooks that throw end that stream, or nothing, and the requests behind it do not hang', async () => {
    const server = await serve({
      admit: ({ id }) => {
        if (id === 'throws') throw new Error('the hook fails');
        return id === 'stranger' ? 'not known here' : undefined;
      },
      measure: () => {
        throw new Error('measuring fails');
      },
    });
    server.subscribe(() => {
      throw new Error('a listener fails');
    });
    server.publish(snapshot(1, { cds: { a: '1' } }));
    for (const [id, code, text] of [
      ['throws', 14, 'the hook fails'],
      ['stranger', 7, 'not known here'],
    ] as const) {
      const refused = client(server, variant, id);
      refused.request({ type_url: CLUSTER });
      refused.request({ type_url: CLUSTER });
      expect(await refused.ended).toMatchObject({ code, details: text });
    }
    await isServed(server);
    await expect.poll(() => server.gateways()).toEqual([]);
  });

  it('7: the end of the server ends every stream', async () => {
    const server = await serve();
    server.publish(snapshot(1, { cds: { a: '1' } }));
    const clients = [client(server, variant, 'x'), client(server, variant, 'y')];
    for (const one of clients) {
      one.request({ type_url: CLUSTER });
      await one.next();
    }
    await server.close();
    await Promise.all(clients.map(async (one) => one.ended));
  });

  it('9: of two streams of one node the newer one tells; the end of the older one takes nothing', async () => {
    const server = await serve();
    server.publish(snapshot(1, { cds: { a: '1' } }));
    const [old, next] = [client(server, variant), client(server, variant)];
    for (const one of [old, next]) {
      one.request({ type_url: CLUSTER });
      one.ack(await one.next());
    }
    await expect.poll(() => server.gateways().map(({ ackedRevision }) => ackedRevision)).toEqual([1]);
    old.close();
    await expect.poll(() => server.streams().length).toBe(1);
    server.publish(snapshot(2, { cds: { a: '2' } }));
    next.ack(await next.next());
    await expect.poll(() => server.gateways().map(({ ackedRevision }) => ackedRevision)).toEqual([2]);
  });

  it('floods of requests end the stream of him who floods', async () => {
    const server = await serve({ limits: { requestsPerSecond: 10, requestsAtOnce: 50 } });
    server.publish(snapshot(1, { cds: { a: '1' } }));
    const flooding = client(server, variant);
    for (let n = 0; n < 100; n += 1) flooding.request({ type_url: CLUSTER, response_nonce: 'x' });
    expect((await flooding.ended).code).toBe(8);
    await isServed(server);
  });

  it('too many streams, of a node and in all, are refused', async () => {
    const server = await serve({ limits: { streamsPerNode: 2, streams: 3 } });
    server.publish(snapshot(1, { cds: { a: '1' } }));
    const ask = (id: string): Discovery => {
      const one = client(server, variant, id);
      one.request({ type_url: CLUSTER });
      return one;
    };
    await Promise.all([ask('a').next(), ask('a').next()]);
    expect(await ask('a').ended).toMatchObject({ code: 8, details: expect.stringContaining('a has 2') as unknown });
    await ask('b').next();
    expect((await ask('c').ended).code).toBe(8);
  });

  it('a message that is too large ends that stream; one as large as an Envoy with everything sends does not', async () => {
    const server = await serve({ limits: { messageBytes: 8 * 1024 * 1024 } });
    server.publish(snapshot(1, { cds: { a: '1' } }));
    const names = Array.from({ length: 60_000 }, (_, n) => `${'x'.repeat(80)}${n}`);
    const large = client(server, variant);
    large.request({
      type_url: ENDPOINT,
      ...(variant === 'sotw' ? { resource_names: names } : { resource_names_subscribe: names }),
    });
    large.request({ type_url: CLUSTER });
    expect((await large.next()).type_url).toBe(variant === 'sotw' ? CLUSTER : ENDPOINT);
    const huge = client(server, variant);
    huge.request({ type_url: CLUSTER, response_nonce: 'x'.repeat(9 * 1024 * 1024) });
    expect((await huge.ended).code).toBe(8);
    await isServed(server);
  });

  it('unknown types and wrong nonces are harmless', async () => {
    const server = await serve();
    server.publish(snapshot(1, { cds: { a: '1' } }));
    const odd = client(server, variant);
    for (const type_url of ['x', 'type.googleapis.com/', '../..', '__proto__', 'type.googleapis.com/a.B'])
      odd.request({
        type_url,
        response_nonce: 'never',
        resource_names: ['__proto__', '*'],
        resource_names_subscribe: ['__proto__'],
      });
    odd.request({ type_url: CLUSTER });
    await expect.poll(() => odd.received.some((one) => one.type_url === CLUSTER)).toBe(true);
    await isServed(server);
  });

  it('who refuses every message keeps the others from nothing, and is not sent the same again', async () => {
    const server = await serve();
    server.publish(snapshot(1, { cds: { a: '1', b: '1' } }));
    const refusing = client(server, variant);
    refusing.request({ type_url: CLUSTER });
    for (let n = 0; n < 3; n += 1) refusing.nack(await refusing.next(), 'no');
    expect(await refusing.isSilent()).toBe(true);
    const report = await server.whenAcked(1, 5_000, new AbortController().signal);
    expect(report).toMatchObject({ acked: [], pending: [], refused: [{ node: 'node' }, { node: 'node' }] });
    await isServed(server);
    server.publish(snapshot(2, { cds: { a: '2', b: '1' } }));
    refusing.ack(await refusing.next());
    await expect.poll(() => server.report(2).acked).toEqual(['node']);
  });

  it('who never reads holds up nobody, and what waits for him is bounded', async () => {
    const server = await serve();
    server.publish(snapshot(1, { cds: { a: '1' } }, { [ENDPOINT]: big(1) }));
    const stuck = client(server, variant);
    stuck.request({ type_url: ENDPOINT, resource_names: ['big'], resource_names_subscribe: ['big'] });
    await stuck.next();
    stuck.call.pause();
    const before = process.memoryUsage().external;
    for (let n = 2; n < 60; n += 1)
      server.publish(snapshot(n, { cds: { a: '1' } }, { [ENDPOINT]: big(1_000_000 + n) }));
    await isServed(server);
    expect(process.memoryUsage().external - before).toBeLessThan(150 * 1024 * 1024);
    await expect.poll(() => server.gateways().find(({ node }) => node === 'node')?.types['eds']?.state).toBe('STALE');
  });

  it('47: a control plane with nothing yet answers nothing, and deletes nothing; then only what changed', async () => {
    const server = await serve();
    const envoy = client(server, variant);
    const had = variant === 'delta' ? { initial_resource_versions: { a: '1' } } : { version_info: 'v1' };
    envoy.request({ type_url: CLUSTER, ...had });
    envoy.request({
      type_url: LISTENER,
      ...(variant === 'delta' ? { initial_resource_versions: { l: '1' } } : { version_info: 'v' }),
    });
    expect(await envoy.isSilent(200)).toBe(true);
    server.publish(snapshot(1, { cds: { a: '1' }, lds: { l: '1' } }));
    const clusters = await envoy.next();
    envoy.ack(clusters);
    const listeners = await envoy.next();
    expect([clusters.removed_resources ?? [], listeners.removed_resources ?? []]).toEqual([[], []]);
    expect([clusters.resources.length, listeners.resources.length]).toEqual(variant === 'delta' ? [0, 0] : [1, 1]);
  });

  it('a restart in the middle of a push: the next server brings what is missing, in order', async () => {
    const content = { cds: { a: '1', b: '1' }, eds: {}, rds: { r: '2' } };
    const first = await serve();
    first.publish(snapshot(2, content));
    const envoy = client(first, variant);
    envoy.request({ type_url: CLUSTER });
    await envoy.next();
    await first.close();
    await envoy.ended;
    const second = await serve();
    second.publish(snapshot(2, content));
    const again = client(second, variant);
    again.request({ type_url: CLUSTER, ...(variant === 'delta' ? { initial_resource_versions: { a: '1' } } : {}) });
    const response = await again.next();
    expect(response.resources.length).toBe(variant === 'delta' ? 1 : 2);
    again.request({ type_url: ROUTE, resource_names: ['r'], resource_names_subscribe: ['r'] });
    again.ack(response);
    again.ack(await again.next(), variant === 'sotw' ? { resource_names: ['r'] } : {});
    await expect.poll(() => second.gateways().map(({ ackedRevision }) => ackedRevision)).toEqual([2]);
  });

  it('a clock that jumps, forth and back, changes nothing but the times that are shown', async () => {
    let now = 1e12;
    const server = await serve({ now: () => now });
    server.publish(snapshot(1, { cds: { a: '1' } }));
    const envoy = client(server, variant);
    envoy.request({ type_url: CLUSTER });
    envoy.ack(await envoy.next());
    for (const [revision, at] of [
      [2, 2e12],
      [3, 0],
      [4, 1e12],
    ] as const) {
      now = at;
      server.publish(snapshot(revision, { cds: { a: String(revision) } }));
      envoy.ack(await envoy.next());
      expect(await server.whenAcked(revision, 5_000, new AbortController().signal)).toMatchObject({ acked: ['node'] });
    }
  });
});

it('garbage bytes, and HTTP/2 that is no gRPC, end only themselves', async () => {
  const server = await serve();
  server.publish(snapshot(1, { cds: { a: '1' } }));
  const sockets: Socket[] = [];
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff', '\0\0\0\0']) {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(Buffer.from(bytes, 'latin1'));
    sockets.push(socket);
  }
  const session: ClientHttp2Session = connectHttp2(`http://127.0.0.1:${server.port}`);
  session.on('error', () => undefined);
  const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  stream.resume();
  // A frame of gRPC whose message is no protobuf.
  stream.write(Buffer.from([0, 0, 0, 0, 3, 0x0a, 0x7f, 0x01]));
  await new Promise((resolve) => stream.once('end', resolve));
  await isServed(server);
  for (const socket of sockets) socket.destroy();
  session.destroy();
});

it('a half-open peer is found by keepalive and leaves', async () => {
  const server = await serve({ keepalive: { timeMs: 200, timeoutMs: 200 } });
  server.publish(snapshot(1, { cds: { a: '1' } }));
  // A relay that stops carrying anything in either direction, without closing: the cable is cut.
  const { createServer } = await import('node:net');
  let isCut = false;
  const relay = createServer((near) => {
    const far = connect(server.port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk) => {
        if (!isCut) to.write(chunk);
      });
      from.on('error', () => undefined);
    }
    open.push(
      () => near.destroy(),
      () => far.destroy(),
    );
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  open.push(() => relay.close());
  const envoy = openDiscovery({ port: (relay.address() as { port: number }).port, variant: 'delta' });
  open.push(() => {
    envoy.close();
  });
  envoy.request({ type_url: CLUSTER });
  await envoy.next();
  expect(server.streams().length).toBe(1);
  isCut = true;
  await expect.poll(() => server.streams().length, { timeout: 15_000 }).toBe(0);
});

it('what is measured: pushes, responses, answers, stale nonces, streams', async () => {
  const seen: Measure[] = [];
  const server = await serve({ measure: (one) => seen.push(one) });
  server.publish(snapshot(1, { cds: { a: '1' } }));
  const envoy = client(server);
  envoy.request({ type_url: CLUSTER });
  envoy.ack(await envoy.next());
  envoy.request({ type_url: CLUSTER, response_nonce: 'old' });
  server.publish(snapshot(2, { cds: { a: '2' } }));
  envoy.nack(await envoy.next(), 'no');
  await expect.poll(() => seen.some(({ kind }) => kind === 'nack')).toBe(true);
  envoy.close();
  await expect
    .poll(() => new Set(seen.map(({ kind }) => kind)))
    .toEqual(new Set(['push', 'opened', 'response', 'ack', 'stale', 'nack', 'closed']));
});
