/** TLS to agents: the socket of a cluster, and what of it differs from endpoint to endpoint. */
import { isIP } from 'node:net';
import type { AgentTls } from '../model/agent-tls.ts';
import type { FleetInstance } from '../model/fleet.ts';
import type { ServiceGateway } from '../model/service.ts';
import type { JsonObject } from '../routing/policy.ts';

/** How the instances of one service of several are reached. */
export interface ServiceTls {
  readonly service: string;
  readonly tls: AgentTls;
}

/** Read by Envoy itself: far too long to stand in every cluster. */
function authorities({ ca }: AgentTls, systemTrust: string | undefined): JsonObject {
  if (ca !== undefined) return { inline_string: ca };
  if (systemTrust !== undefined) return { filename: systemTrust };
  throw new Error('this machine has no list of authorities that it trusts: give gateway.tls.ca');
}

/** The certificate must have the name that was asked for, or the one that the service says. */
function validation(tls: AgentTls, systemTrust: string | undefined): JsonObject {
  const { serverName, insecure } = tls;
  if (insecure) return {};
  const type = serverName !== undefined && isIP(serverName) !== 0 ? 'IP_ADDRESS' : 'DNS';
  return {
    validation_context: {
      trusted_ca: authorities(tls, systemTrust),
      ...(serverName === undefined
        ? {}
        : { match_typed_subject_alt_names: [{ san_type: type, matcher: { exact: serverName } }] }),
    },
  };
}

function socket(tls: AgentTls, systemTrust: string | undefined): JsonObject {
  const { serverName, insecure } = tls;
  const name =
    serverName === undefined
      ? { auto_host_sni: true, ...(insecure ? {} : { auto_sni_san_validation: true }) }
      : isIP(serverName) === 0
        ? { sni: serverName }
        : {};
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      ...name,
      common_tls_context: {
        // Left alone Envoy speaks 1.2 at most as a client.
        tls_params: { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_3' },
        alpn_protocols: ['http/1.1'],
        ...validation(tls, systemTrust),
      },
    },
  };
}

/** Envoy's time for a connection holds the handshakes of TLS too: of an agent far away, or of one that a crowd comes to at once. */
const CONNECT = { connect_timeout: '3s' };

/** Of a cluster whose instances are of one service, and of one with instances of several. */
export function transportSocket(
  { tls }: ServiceGateway,
  several: readonly ServiceTls[],
  systemTrust: string | undefined,
): JsonObject {
  if (several.length > 0)
    return {
      ...CONNECT,
      transport_socket_matches: several.map((one) => ({
        name: one.service,
        match: { tls: one.service },
        transport_socket: socket(one.tls, systemTrust),
      })),
    };
  return tls === undefined ? {} : { ...CONNECT, transport_socket: socket(tls, systemTrust) };
}

/** Of an endpoint's metadata: by which of them it is reached. */
export const socketOf = ({ tls }: FleetInstance): JsonObject =>
  tls === undefined ? {} : { 'envoy.transport_socket_match': { tls } };

export const hostnameOf = ({ hostname }: FleetInstance): JsonObject =>
  hostname === undefined ? {} : { hostname, health_check_config: { hostname } };

/** Of a route's action. */
export const hostOfAction = ({ hostHeader }: ServiceGateway): JsonObject =>
  hostHeader === 'address' ? { auto_host_rewrite: true, append_x_forwarded_host: true } : {};
