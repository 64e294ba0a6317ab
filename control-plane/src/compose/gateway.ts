/** Envoy as a program, started or found again, and what its coming and going means for the session table. */
import { join } from 'node:path';
import {
  bootstrap,
  createEnvoy,
  type Address,
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
import { hostPort } from '../model/address.ts';
import type { NewEvent } from '../model/event.ts';
import type { SessionJournal } from '../telemetry/session-journal.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import type { Registry } from '../registry/registry.ts';
import type { XdsServer } from '../xds/server.ts';
import { renewGateway, type GatewayRenewal } from './gateway-renewal.ts';
import { balancedAt, settingsOf, startedFor } from './gateway-settings.ts';
import { watchTroubles } from './gateway-troubles.ts';
import { NODE_ID } from './settings.ts';

export interface GatewayParts {
  readonly config: Config;
  readonly binary: FoundEnvoy;
  readonly ports: { readonly xds: number; readonly gateway: number };
  readonly xds: XdsServer;
  readonly sessions: SessionTable;
  readonly journal: Pick<SessionJournal, 'left' | 'begin'>;
  readonly registry: Pick<Registry, 'note'>;
  readonly now: () => number;
  readonly log: Log;
}

export interface Gateway {
  readonly envoy: EnvoySupervisor;
  readonly renewal: GatewayRenewal;
  /** Stops looking after it. It goes on running. */
  readonly close: () => void;
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

export async function startGateway({
  config,
  binary,
  ports,
  xds,
  sessions,
  journal,
  registry,
  now,
  log,
}: GatewayParts): Promise<Gateway> {
  const envoy = createEnvoy({
    folder: join(config.dataFolder, 'envoy'),
    binary: binary.path,
    version: binary.version,
    nodeId: NODE_ID,
    client: { host: config.gateway.host, port: ports.gateway },
    alsoAt: balancedAt(config),
    reachedAt: reachableHost(config.gateway.host),
    startedFor: startedFor(config),
    settings: settingsOf(config, binary, ports.xds),
    bootstrap: (adminPath) =>
      bootstrap({
        nodeId: NODE_ID,
        cluster: 'switchboard',
        zone: '',
        startedFor: startedFor(config),
        xds: { host: reachableHost(config.xds.host), port: ports.xds },
        tls: tlsOf(config.dataFolder),
        variant: config.envoy.xds,
        adminPath,
        maxConnections: config.envoy.maxConnections,
      }),
    concurrency: config.envoy.concurrency,
    logLevel: config.envoy.logLevel,
    mayListen: async () => expectFree(config.gateway.host, ports.gateway, 'clients', 'SWITCHBOARD_GATEWAY_PORT'),
    now,
    log,
  });
  const { movedFrom, lost } = await envoy.start();

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
  watchTroubles({ envoy, open: () => sessions.counts().total, left: lost ? left.sessions.length : 0, note });
  envoy.watch(noteSessions);
  xds.subscribe((event) => {
    if (event.kind === 'connected' || event.kind === 'disconnected') noteSessions();
  });
  noteSessions();
  if (movedFrom !== undefined) await tellOfMove(movedFrom);
  const renewal = await renewGateway({ envoy, note, log });
  const { outdated } = envoy.status();
  if (outdated.length > 0)
    log.info(
      { gateway: NODE_ID, outdated },
      'Envoy reads these settings at its start alone: they hold after `switchboard gateway restart`',
    );
  return {
    envoy,
    renewal,
    close() {
      renewal.close();
      envoy.close();
    },
  };

  function note(event: NewEvent): void {
    registry.note(event, { actor: 'controller' }).catch((error: unknown) => {
      log.warn({ error }, 'an event could not be written');
    });
  }

  async function tellOfMove(from: Address): Promise<void> {
    const open = (await envoy.openSessions()) ?? 'unknown number of';
    const message = `clients connect to ${hostPort(config.gateway.host, ports.gateway)} from now on; nobody listens at ${hostPort(from.host, from.port)} any more, and the ${open} open sessions go on until they end`;
    log.warn({ gateway: NODE_ID }, message);
    note({ action: 'gateway.move', subject: { kind: 'Gateway', name: NODE_ID }, message });
  }
}
