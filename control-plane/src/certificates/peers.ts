/** Who came: the certificate that each gateway showed last, and peers that were turned away. Of those all are counted, and one a minute is logged. */
import type { Log } from '../log.ts';
import type { PeerIdentity } from './peer.ts';

export interface Refused {
  readonly reason: 'no-certificate' | 'wrong-node' | 'revoked';
  /** Address and port. */
  readonly peer: string;
  readonly method: string;
  /** A sentence for people. */
  readonly message: string;
}

export type ShownCertificate = Omit<PeerIdentity, 'node'>;

export interface Peers {
  admitted(identity: PeerIdentity): void;
  refused(refused: Refused): void;
  /** Undefined: this gateway has not come since the start. */
  of(node: string): ShownCertificate | undefined;
  /** Refused calls by reason, since the start. */
  refusals(): ReadonlyMap<Refused['reason'], number>;
}

const QUIET_MS = 60_000;
const KEPT = 1000;

export function createPeers({ now, log }: { now: () => number; log: Log }): Peers {
  const shown = new Map<string, ShownCertificate>();
  const counts = new Map<Refused['reason'], number>();
  const lastLogged = new Map<string, number>();
  return {
    admitted({ node, ...certificate }) {
      shown.set(node, certificate);
    },
    refused(refused) {
      counts.set(refused.reason, (counts.get(refused.reason) ?? 0) + 1);
      // An Envoy that is refused tries again every second, from another port each time.
      const key = `${refused.peer.replace(/:\d+$/, '')} ${refused.message}`;
      if (now() - (lastLogged.get(key) ?? -Infinity) < QUIET_MS) return;
      if (lastLogged.size >= KEPT) lastLogged.clear();
      lastLogged.set(key, now());
      log.warn(refused, 'a peer was refused on the port for Envoy');
    },
    of: (node) => shown.get(node),
    refusals: () => counts,
  };
}
