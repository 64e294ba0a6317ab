/** Envoy as a program, started or found again, and what its coming and going means for the session table. */
import { join } from 'node:path';
import {
  bootstrap,
  createEnvoy,
  speaksInClear,
  type EnvoySupervisor,
  type FoundEnvoy,
  type TlsFiles,
} from '@switchboard/envoy';
import { tlsFiles } from '../certificates/files.ts';
import { AUTHORITY_SECRET, IDENTITY_SECRET } from '../model/gateway-files.ts';
import { CONTROL_PLANE_URI } from '../certificates/peer.ts';
import type { Config } from '../config.ts';
import { reachableHost } from '../model/listen-host.ts';
import { expectFree } from '../home/free-port.ts';
import type { Log } from '../log.ts';
import type { SessionJournal } from '../telemetry/session-journal.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import type { XdsServer } from '../xds/server.ts';
import { NODE_ID } from './settings.ts';

export interface GatewayParts {
  readonly config: Config;
  readonly binary: FoundEnvoy;
  readonly ports: { readonly xds: number; readonly gateway: number };
  readonly xds: XdsServer;
  readonly sessions: SessionTable;
  readonly journal: Pick<SessionJournal, 'left' | 'begin'>;
  readonly now: () => number;
  readonly log: Log;
}

/** Where its Envoy finds its certificate and whom to trust. */
function tlsOf(data: string): TlsFiles {
  const { folder, identity, authority } = tlsFiles(data).gateway(NODE_ID);
  return {
    folder,
    identity: { path: identity, name: IDENTITY_SECRET },
    authority: { path: authority, name: AUTHORITY_SECRET },
    controlPlane: CONTROL_PLANE_URI,
  };
}

/** Why the running Envoy can't come to this control plane though it goes on serving; undefined: it can. */
export function whyOutOfReach(envoy: EnvoySupervisor): string | undefined {
  if (!envoy.status().adopted || !speaksInClear(envoy.startedWith())) return undefined;
  return `the running Envoy (process ${envoy.status().pid ?? 0}) was started by a version without TLS: its sessions go on with its last configuration, and it gets no changes; end it when they may end (SIGTERM), and one with TLS is started at once`;
}

export async function startGateway({
  config,
  binary,
  ports,
  xds,
  sessions,
  journal,
  now,
  log,
}: GatewayParts): Promise<EnvoySupervisor> {
  const envoy = createEnvoy({
    folder: join(config.dataFolder, 'envoy'),
    binary: binary.path,
    version: binary.version,
    nodeId: NODE_ID,
    clientPort: ports.gateway,
    bootstrap: (adminPath) =>
      bootstrap({
        nodeId: NODE_ID,
        cluster: 'switchboard',
        zone: '',
        xds: { host: reachableHost(config.xds.host), port: ports.xds },
        tls: tlsOf(config.dataFolder),
        variant: config.envoy.xds,
        adminPath,
        maxConnections: config.envoy.maxConnections,
      }),
    concurrency: config.envoy.concurrency,
    logLevel: config.envoy.logLevel,
    mayLaunch: async () => expectFree(config.gateway.host, ports.gateway, 'clients', 'SWITCHBOARD_GATEWAY_PORT'),
    now,
    log,
  });
  await envoy.start();
  const reason = whyOutOfReach(envoy);
  if (reason !== undefined) log.error({ gateway: NODE_ID, pid: envoy.status().pid }, reason);

  const { left } = journal;
  if (left.process !== '') sessions.restore(NODE_ID, left.process, left.sessions, left.whole);
  function noteSessions(): void {
    const { state, adopted } = envoy.status();
    journal.begin(envoy.identity(), !adopted || (left.whole && left.process === envoy.identity()));
    const connected = xds.gateways().some((one) => one.node === NODE_ID);
    if (connected) sessions.gatewayConnected(NODE_ID, envoy.identity(), !adopted, envoy.formerIdentity());
    else if (state === 'backoff' || state === 'stopped') sessions.gatewayGone(NODE_ID);
    else sessions.gatewayLost(NODE_ID);
  }
  envoy.watch(noteSessions);
  xds.subscribe((event) => {
    if (event.kind === 'connected' || event.kind === 'disconnected') noteSessions();
  });
  noteSessions();
  return envoy;
}
