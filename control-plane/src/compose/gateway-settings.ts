/** What an Envoy of this machine is started with: what it must have been, to go on, and what may wait for its next start. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { STARTED_FOR, controlPlanesOf, type Address, type FoundEnvoy } from '@switchboard/envoy';
import type { Config } from '../config.ts';
import type { XdsServerOptions } from '../xds/server.ts';
import { NODE_ID } from './settings.ts';

/** Of what every Envoy is started with by this version, whatever the settings: one of another version that lacks it is replaced. */
const FORM = 'listeners change without an end to what is open';

/** Where balancers connect that speak the PROXY protocol. */
export function balancedAt({ gateway: { host, proxyProtocol } }: Pick<Config, 'gateway'>): readonly Address[] {
  return proxyProtocol === undefined ? [] : [{ host: proxyProtocol.host ?? host, port: proxyProtocol.port }];
}

/**
 * One that was started for anything else can't go on: it listens on other hosts. It is replaced as `gateway restart` does. A port of
 * its clients' is not among it, nor is all else of the listener: that is changed while it runs.
 */
export function startedFor({ gateway }: Config): string {
  const parts = [FORM, gateway.host, ...ownHost(gateway)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** Of the port for the PROXY protocol, where it has one of its own. */
const ownHost = ({ proxyProtocol }: Config['gateway']): string[] =>
  proxyProtocol?.host === undefined ? [] : [proxyProtocol.host];

/** Who comes in of this machine's own Envoys, and where they find the control plane: each at the address that it was started with. */
export function doorFor(config: Config): Pick<XdsServerOptions, 'admit' | 'alsoOn'> {
  const needed = startedFor(config);
  return {
    alsoOn: controlPlanesOf(join(config.dataFolder, 'envoy')),
    admit: ({ id, metadata }) =>
      id !== NODE_ID || metadata[STARTED_FOR] === needed
        ? undefined
        : 'it was started for other settings or by another version, and is to be replaced',
  };
}

/** What is read at its start alone, as text by the name of the setting. */
export function settingsOf(config: Config, binary: FoundEnvoy, xdsPort: number): Readonly<Record<string, string>> {
  const { envoy, gateway, xds } = config;
  return {
    'gateway.host': gateway.host,
    'gateway.proxyProtocol.host': ownHost(gateway)[0] ?? '',
    data: config.dataFolder,
    'xds.host': xds.host,
    'xds.port': String(xdsPort),
    'envoy.path': `${binary.path} ${binary.version}`,
    'envoy.concurrency': String(envoy.concurrency),
    'envoy.logLevel': envoy.logLevel,
    'envoy.maxConnections': String(envoy.maxConnections),
    'envoy.xds': envoy.xds,
  };
}
