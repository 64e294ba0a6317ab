/**
 * The real Envoy with the real listener, and by hand what comes over xDS beside it: one route and what it puts into slots, resources of ECDS,
 * chains. For questions to Envoy that the control plane does not put yet. Behind it stands one agent, which greets with the headers that it got.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerReadableStream, sendUnaryData } from '@grpc/grpc-js';
import { CONTROL_PLANE_CLUSTER, bootstrap, findEnvoy } from '@switchboard/envoy';
import { decode, grpcService } from '@switchboard/proto';
import { WebSocketServer } from 'ws';
import { freePort } from '../../control-plane/src/home/free-port.ts';
import { createLog } from '../../control-plane/src/log.ts';
import { extensions } from '../../control-plane/src/translate/extensions.ts';
import { listener } from '../../control-plane/src/translate/listener.ts';
import type { TranslateOptions } from '../../control-plane/src/translate/options.ts';
import { startXdsServer, type XdsServer } from '../../control-plane/src/xds/server.ts';
import { CLUSTER, EXTENSION, LISTENER, ROUTE } from '../../control-plane/src/xds/types.ts';
import { snapshotOf } from './xds-document.ts';

type Json = Record<string, unknown>;

export interface HandMade {
  /** Fields of the one route, beside its match and where it leads. */
  readonly route?: Json;
  /** Of its action. */
  readonly action?: Json;
  /** Routes before it. */
  readonly routes?: readonly Json[];
  /** Of the virtual host. */
  readonly host?: Json;
  /** Configurations by slot, in place of those that stand there. */
  readonly ecds?: Readonly<Record<string, Json>>;
  /** The listener, changed. */
  readonly listener?: (usual: Json) => Json;
}

export interface EnvoyAlone extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  readonly adminPath: string;
  readonly xds: XdsServer;
  /** Resolves when Envoy has it; rejects with its refusal. */
  publish(made: HandMade): Promise<void>;
  /** Entries of the access log, as they came, oldest first. */
  records(): readonly Json[];
  /** What Envoy has written. */
  log(): string;
}

const ALS = 'envoy.service.accesslog.v3.AccessLogService';

/** Keeps what Envoy reports. */
function recorder(into: Json[]): { definition: ReturnType<typeof grpcService>; handlers: Record<string, never> } {
  const definition = grpcService(ALS);
  const method = definition['StreamAccessLogs'];
  if (method === undefined) throw new Error('there is no such service');
  const requestDeserialize = (bytes: Buffer): object =>
    decode('envoy.service.accesslog.v3.StreamAccessLogsMessage', bytes) as object;
  const handler = (call: ServerReadableStream<Json, object>, done: sendUnaryData<object>): void => {
    call.on('data', (message: { http_logs?: { log_entry?: Json[] } }) => {
      into.push(...(message.http_logs?.log_entry ?? []));
    });
    call.on('end', () => {
      done(null, {});
    });
    call.on('error', () => undefined);
  };
  return {
    definition: { ...definition, StreamAccessLogs: { ...method, requestDeserialize } },
    handlers: { StreamAccessLogs: handler as never },
  };
}

export async function startEnvoyAlone(
  gateway: Partial<TranslateOptions['gateway']> = {},
  concurrency = 1,
): Promise<EnvoyAlone> {
  const closers: (() => unknown)[] = [];
  const agent = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  agent.on('connection', (socket, { headers, url }) => {
    socket.on('error', () => undefined);
    socket.send(JSON.stringify({ headers, url }));
    socket.on('message', (data, binary) => {
      socket.send(data, { binary });
    });
  });
  await new Promise((resolve) => agent.once('listening', resolve));
  closers.push(() => {
    for (const socket of agent.clients) socket.terminate();
    agent.close();
  });
  const port = await freePort('127.0.0.1');
  const options: TranslateOptions = {
    gateway: { host: '127.0.0.1', port, ...gateway },
    controlPlaneCluster: CONTROL_PLANE_CLUSTER,
    sessionReportMs: 200,
    instanceToken: (instance) => instance,
    signals: () => undefined,
    policies: new Map(),
  };
  const records: Json[] = [];
  const log = createLog('silent');
  const now = (): number => Date.now();
  const xds = await startXdsServer({ host: '127.0.0.1', port: 0, log, now, services: [recorder(records)] });
  closers.push(async () => xds.close());

  const folder = mkdtempSync(join(tmpdir(), 'sb-alone-'));
  const logFile = join(folder, 'log');
  const { path } = await findEnvoy({ environment: process.env, path: undefined });
  const start = bootstrap({
    nodeId: 'alone',
    cluster: 'c',
    zone: '',
    variant: 'delta',
    adminPath: join(folder, 'admin'),
    maxConnections: 1000,
    xds: { host: '127.0.0.1', port: xds.port },
  });
  await writeFile(join(folder, 'bootstrap.json'), JSON.stringify(start));
  const out = openSync(logFile, 'a');
  const more = ['--concurrency', String(concurrency), '-l', 'warn', '--disable-hot-restart', '--drain-time-s', '1'];
  const envoy = spawn(path, ['-c', join(folder, 'bootstrap.json'), ...more], { stdio: ['ignore', out, out] });
  closeSync(out);
  closers.push(async () => {
    const gone = new Promise((resolve) => envoy.once('exit', resolve));
    if (envoy.exitCode === null && envoy.kill('SIGKILL')) await gone;
    rmSync(folder, { recursive: true, force: true });
  });

  const cluster = {
    name: 'agents',
    type: 'STATIC',
    load_assignment: {
      cluster_name: 'agents',
      endpoints: [
        {
          lb_endpoints: [
            {
              endpoint: {
                address: {
                  socket_address: { address: '127.0.0.1', port_value: (agent.address() as AddressInfo).port },
                },
              },
            },
          ],
        },
      ],
    },
  };
  let revision = 0;
  async function publish({ route, action, routes, host, ecds, listener: changed }: HandMade): Promise<void> {
    const usual = listener(options) as Json;
    const filters = Object.fromEntries(extensions([], options).map((one) => [one.name, one.typed_config]));
    const slots = Object.entries({ ...filters, ...ecds });
    const last = { match: { prefix: '/' }, route: { cluster: 'agents', ...action }, ...route };
    const hosts = [{ name: 'all', domains: ['*'], routes: [...(routes ?? []), last], ...host }];
    revision += 1;
    xds.publish(
      snapshotOf(
        {
          versions: {},
          resources: {
            [CLUSTER]: { agents: { resource: cluster } },
            [LISTENER]: { clients: { resource: changed === undefined ? usual : changed(usual) } },
            [ROUTE]: { clients: { resource: { name: 'clients', virtual_hosts: hosts } } },
            [EXTENSION]: Object.fromEntries(
              slots.map(([name, typed_config]) => [name, { resource: { name, typed_config } }]),
            ),
          },
        },
        revision,
      ),
    );
    const { refused, pending, acked } = await xds.whenAcked(revision, 20_000, new AbortController().signal);
    if (refused.length + pending.length > 0 || acked.length === 0)
      throw new Error(`Envoy does not have it: ${JSON.stringify({ refused, pending })}`);
  }

  const alone: EnvoyAlone = {
    port,
    pid: envoy.pid ?? 0,
    adminPath: join(folder, 'admin'),
    xds,
    publish,
    records: () => records,
    log: () => readFileSync(logFile, 'utf8'),
    async [Symbol.asyncDispose]() {
      for (const close of closers.reverse()) await close();
    },
  };
  try {
    for (let left = 400; xds.gateways().length === 0 && left > 0; left -= 1)
      await new Promise((resolve) => setTimeout(resolve, 25));
    await publish({});
  } catch (error) {
    const said = alone.log().slice(-2_000);
    await alone[Symbol.asyncDispose]();
    throw new Error(`no Envoy: ${said}`, { cause: error });
  }
  return alone;
}
