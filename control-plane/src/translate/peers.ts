/**
 * What is believed of the peer of a connection. A client's own word on whom it forwards for is worth nothing: it is replaced by what Envoy sees. A
 * proxy that the settings trust is believed: client address, scheme, host. Each has a filter chain of its own, so a changed list is no matter of
 * those who come without a proxy.
 */
import { cidrRange } from '../model/cidr.ts';

export interface Peer {
  /** Mutations of headers before a route is chosen. */
  readonly early: readonly object[];
  /** Of the connection manager. */
  readonly manager: object;
  /** How long its connection may be open without a request. */
  readonly idleTimeout: string;
}

const PEER = '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%';
const header = (key: string, value: string, action = 'OVERWRITE_IF_EXISTS_OR_ADD'): object => ({
  append: { header: { key, value }, append_action: action },
});

export const CLIENT: Peer = {
  early: [
    // Envoy would add its own address in place of a loopback address.
    header('x-forwarded-for', PEER),
    header('x-forwarded-host', '%REQ(:authority)%'),
    { remove: 'x-forwarded-port' },
  ],
  // X-Forwarded-Proto is then Envoy's own.
  manager: { use_remote_address: true, skip_xff_append: true },
  idleTimeout: '15s',
};

/** The client is the last in X-Forwarded-For that is no proxy of these itself. */
export const trustedProxy = (trusted: readonly string[]): Peer => ({
  early: [
    header('x-forwarded-for', `%REQ(x-forwarded-for)%, ${PEER}`, 'OVERWRITE_IF_EXISTS'),
    header('x-forwarded-for', PEER, 'ADD_IF_ABSENT'),
    header('x-forwarded-host', '%REQ(:authority)%', 'ADD_IF_ABSENT'),
    // Of a client these are removed by Envoy: they would tell its router how often and how long to try.
    { remove_on_match: { key_matcher: { prefix: 'x-envoy-' } } },
  ],
  manager: {
    use_remote_address: false,
    original_ip_detection_extensions: [
      {
        name: 'forwarded-for',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.http.original_ip_detection.xff.v3.XffConfig',
          xff_trusted_cidrs: { cidrs: trusted.map(cidrRange) },
          skip_xff_append: true,
        },
      },
    ],
  },
  // It keeps connections for its next client, longer than a gateway that closes one under its hand: AWS asks for more than its own 60 s.
  idleTimeout: '3600s',
});
