/**
 * Which certificates were given out to gateways elsewhere, and whose are revoked: `issued.json`. A revoked gateway is known by its name: what it held
 * until then is refused, whatever its serial; what is issued to it later is named here, and taken.
 */
import { z } from 'zod';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import type { CertificateStatus } from '../model/gateway.ts';
import { readIfThere, replaceFile } from './files.ts';
import type { PeerIdentity } from './peer.ts';

const Entry = z.strictObject({
  /** The last one that was given out; absent: none was, from here. */
  last: z
    .strictObject({ serial: z.string(), notBefore: z.string(), notAfter: z.string(), renewAt: z.string() })
    .optional(),
  /** ISO time. */
  revokedAt: z.string().optional(),
  /** Serials issued since it was revoked. */
  since: z.array(z.string()),
});
const Issued = z.strictObject({ gateways: z.record(z.string(), Entry) });

export type IssuedCertificate = Omit<CertificateStatus, 'name' | 'revokedAt'>;

export interface IssuedList {
  /** Gateways elsewhere, by name. */
  list(): CertificateStatus[];
  /** A gateway elsewhere has got one. */
  certified(node: string, certificate: IssuedCertificate): void;
  /** One of our own has got another. */
  renewed(node: string, serial: string): void;
  /** From now on nothing that was issued to it is taken. */
  revoke(node: string, at: number): void;
  has(node: string): boolean;
  /** Why a peer with a certificate of ours is not taken; undefined: it is. */
  whyRevoked(peer: PeerIdentity): string | undefined;
}

export function createIssuedList(file: string): IssuedList {
  const gateways = new Map<string, z.infer<typeof Entry>>();
  const text = readIfThere(file);
  if (text !== undefined)
    try {
      for (const [node, entry] of Object.entries(Issued.parse(JSON.parse(text)).gateways)) gateways.set(node, entry);
    } catch (error) {
      // Without it, what was revoked would be taken again.
      throw new SwitchboardError(
        'corrupt',
        `${file} does not hold the list of revoked certificates: ${messageOf(error)}`,
        {
          remedy: 'Restore it; or delete it together with authority.pem beside it, which makes every certificate anew.',
        },
      );
    }

  function set(node: string, entry: z.infer<typeof Entry>): void {
    const next = new Map([...gateways, [node, entry]]);
    replaceFile(file, JSON.stringify({ gateways: Object.fromEntries([...next].sort()) }, undefined, 2));
    gateways.set(node, entry);
  }

  return {
    list: () =>
      [...gateways]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([name, { last, revokedAt }]) =>
          last === undefined ? [] : [{ name, ...last, ...(revokedAt === undefined ? {} : { revokedAt }) }],
        ),
    certified(node, last) {
      const { since, revokedAt } = gateways.get(node) ?? { since: [], revokedAt: undefined };
      const revoked = revokedAt === undefined ? { since } : { since: [...since, last.serial], revokedAt };
      set(node, { last, ...revoked });
    },
    renewed(node, serial) {
      const old = gateways.get(node);
      if (old?.revokedAt !== undefined) set(node, { ...old, since: [...old.since, serial] });
    },
    revoke(node, at) {
      set(node, { ...gateways.get(node), revokedAt: new Date(at).toISOString(), since: [] });
    },
    has: (node) => gateways.has(node),
    whyRevoked({ node, serial }) {
      const entry = gateways.get(node);
      if (entry?.revokedAt === undefined || entry.since.includes(serial)) return undefined;
      return `the certificate of the gateway ${node} was revoked at ${entry.revokedAt}`;
    },
  };
}
