/**
 * The xDS server alone, for conformance suites from outside: `node test/support/xds-standalone.ts --port P --control C [--unchecked]`.
 * PUT and PATCH /snapshot, GET /state on 127.0.0.1:C; resources are proto3 JSON, versions are the caller's.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createLog } from '../../control-plane/src/log.ts';
import { SwitchboardError, messageOf } from '../../control-plane/src/model/errors.ts';
import { startXdsServer, type XdsServer } from '../../control-plane/src/xds/server.ts';
import { mergeDocument, snapshotOf, type SnapshotDocument } from './xds-document.ts';

export interface Standalone extends AsyncDisposable {
  readonly xds: XdsServer;
  /** Of the gRPC server, and of the control interface. */
  readonly port: number;
  readonly control: number;
}

export interface StandaloneOptions {
  readonly port: number;
  readonly control: number;
  /** Take what does not hold together too. */
  readonly unchecked?: boolean;
}

const MOST_BYTES = 256 * 1024 * 1024;

const resource = z.strictObject({
  version: z.string().optional(),
  resource: z.unknown(),
  ttl: z.number().positive().optional(),
});
const body = z.strictObject({
  node: z.string().min(1),
  versions: z.record(z.string(), z.string().nullable()).default({}),
  resources: z.record(z.string(), z.record(z.string(), resource.nullable()).nullable()).default({}),
});

async function read(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new SwitchboardError('too_large', `the body is larger than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

export async function startStandalone({ port, control, unchecked = false }: StandaloneOptions): Promise<Standalone> {
  const documents = new Map<string, SnapshotDocument>();
  let revision = 0;
  const xds = await startXdsServer({
    host: '127.0.0.1',
    port,
    log: createLog('warn'),
    now: () => Date.now(),
    groupOf: ({ id }) => id,
    refuseInconsistent: !unchecked,
    // A caller that sets one snapshot after another expects each to be seen.
    pace: { quietMs: 0, batchMs: 0 },
  });

  async function answer(request: IncomingMessage): Promise<object> {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (pathname === '/state' && request.method === 'GET')
      return { streams: xds.streams(), problems: xds.problems(), gateways: xds.gateways() };
    if (pathname !== '/snapshot' || (request.method !== 'PUT' && request.method !== 'PATCH'))
      throw new SwitchboardError('not_found', 'there is PUT /snapshot, PATCH /snapshot and GET /state');
    const given = body.parse(await read(request));
    const before = request.method === 'PATCH' ? documents.get(given.node) : undefined;
    const document = mergeDocument(before, given);
    const next = snapshotOf(document, revision + 1);
    xds.publish(next, given.node);
    revision += 1;
    documents.set(given.node, document);
    const versions = Object.fromEntries([...next.types].map(([type, { version }]) => [type, version]));
    return { node: given.node, revision, versions };
  }

  const server: Server = createServer((request, response) => {
    void answer(request).then(
      (result) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(result)}\n`);
      },
      (error: unknown) => {
        const issues =
          error instanceof SwitchboardError ? error.issues : error instanceof z.ZodError ? error.issues : [];
        const code = error instanceof SwitchboardError && error.code === 'not_found' ? 404 : 400;
        response
          .writeHead(code, { 'content-type': 'application/json' })
          .end(`${JSON.stringify({ error: messageOf(error), issues })}\n`);
      },
    );
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(control, '127.0.0.1', resolve);
    });
  } catch (error) {
    await xds.close();
    throw error;
  }
  return {
    xds,
    port: xds.port,
    control: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await xds.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '18000' },
      control: { type: 'string', default: '18001' },
      unchecked: { type: 'boolean', default: false },
    },
  });
  const standalone = await startStandalone({
    port: Number(values.port),
    control: Number(values.control),
    unchecked: values.unchecked,
  });
  process.stdout.write(`${JSON.stringify({ port: standalone.port, control: standalone.control })}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      void standalone[Symbol.asyncDispose]().then(() => process.exit(0));
    });
}
