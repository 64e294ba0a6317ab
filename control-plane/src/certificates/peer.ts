/** Who is at the other end of a connection, from the certificate that the handshake has proved. Pure. */
import type { PeerCertificate } from 'node:tls';

const GATEWAY = 'spiffe://switchboard/gateway/';
export const CONTROL_PLANE_URI = 'spiffe://switchboard/control-plane';

export const gatewayUri = (node: string): string => `${GATEWAY}${encodeURIComponent(node)}`;

export interface PeerIdentity {
  /** The node id that the certificate names. */
  readonly node: string;
  readonly serial: string;
  readonly notAfter: string;
}

/** Undefined: no certificate of a gateway. */
export function identityOf(certificate: PeerCertificate | undefined): PeerIdentity | undefined {
  if (certificate?.subjectaltname === undefined) return undefined;
  const names = certificate.subjectaltname.split(', ').flatMap((name) => {
    const uri = name.startsWith(`URI:${GATEWAY}`) ? name.slice(`URI:${GATEWAY}`.length) : undefined;
    return uri === undefined ? [] : [uri];
  });
  // Exactly one name: with two it could be either.
  if (names.length !== 1 || names[0] === undefined || names[0] === '') return undefined;
  return {
    node: decodeURIComponent(names[0]),
    serial: certificate.serialNumber,
    notAfter: new Date(certificate.valid_to).toISOString(),
  };
}

/** Why a stream of this node may not be served to this peer; undefined: it may. */
export function refusalOf(node: string, peer: PeerIdentity | undefined): string | undefined {
  if (peer === undefined) return 'the peer has no certificate that this control plane has issued to a gateway';
  if (peer.node !== node) return `the peer's certificate is for the gateway ${peer.node}, not for ${node}`;
  return undefined;
}
