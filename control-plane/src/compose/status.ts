/** What the whole installation is doing, and whether it is ready: the answers of `switchboard status` and /readyz. */
import type { EnvoySupervisor } from '@switchboard/envoy';
import { addressText, hostPort } from '../model/address.ts';
import { reachableHost } from '../model/listen-host.ts';
import type { Config } from '../config.ts';
import type { ReadinessCheck, SystemStatus } from '../model/system.ts';
import type { Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import type { XdsServer } from '../xds/server.ts';
import type { GatewayRenewal } from './gateway-renewal.ts';
import { VERSION } from '../model/release.ts';
import { createStoreCheck } from './store-check.ts';

export interface StatusParts {
  readonly config: Config;
  readonly ports: { readonly gateway: number; readonly xds: number; readonly api: number };
  readonly startedAt: string;
  readonly registry: Registry;
  readonly gateway: EnvoySupervisor;
  readonly xds: XdsServer;
  readonly sessions: SessionTable;
  readonly store: Store;
  readonly renewal: Pick<GatewayRenewal, 'whyStuck'>;
}

export interface Status {
  system(): SystemStatus;
  readonly gatewayUrl: string;
  /** Of this control plane alone: a service that can't be served says so itself, and takes nothing else away. */
  readiness(): Promise<ReadinessCheck[]>;
  /** The port that the API got, once it listens. */
  apiListens(port: number): void;
}

export function createStatus(parts: StatusParts): Status {
  const { config, ports, registry, gateway, xds, sessions } = parts;
  const storeCheck = createStoreCheck({
    store: parts.store,
    revision: () => registry.view().revision,
    now: () => performance.now(),
  });
  let apiPort = ports.api;
  const gatewayUrl = `ws://${hostPort(reachableHost(config.gateway.host), ports.gateway)}`;

  return {
    gatewayUrl,
    apiListens(port) {
      apiPort = port;
    },
    system() {
      const counts = sessions.counts();
      return {
        version: VERSION,
        startedAt: parts.startedAt,
        revision: registry.view().revision,
        controlPlane: { pid: process.pid, node: process.version },
        gateway: {
          url: gatewayUrl,
          host: config.gateway.host,
          port: ports.gateway,
        },
        api: {
          url: `http://${hostPort(reachableHost(config.api.host), apiPort)}`,
          host: config.api.host,
          port: apiPort,
        },
        xds: { host: config.xds.host, port: ports.xds },
        data: config.dataFolder,
        envoy: gateway.status(),
        agents: [...registry.view().instances.values()].map(({ value }) => ({
          instance: value.id,
          service: value.service,
          state: value.state,
          pid: value.process?.pid ?? null,
          address: value.address === undefined ? null : addressText(value.address),
        })),
        sessions: { open: counts.total, settled: counts.settled },
      };
    },
    async readiness() {
      const status = gateway.status();
      const connected = xds.gateways();
      const listening = connected.some(
        ({ types }) =>
          types['lds']?.acked !== undefined &&
          types['lds'].acked !== '' &&
          types['rds'] !== undefined &&
          types['rds'].acked !== '',
      );
      return [
        await storeCheck(),
        {
          name: 'envoy',
          ok: status.state === 'running' || status.state === 'starting',
          message: status.reason === '' ? status.state : `${status.state}: ${status.reason}`,
        },
        {
          name: 'gateway',
          ok: listening,
          message: listening
            ? `${connected.length} connected`
            : (parts.renewal.whyStuck() ?? 'no Envoy has acknowledged its listener and routes yet'),
        },
      ];
    },
  };
}
