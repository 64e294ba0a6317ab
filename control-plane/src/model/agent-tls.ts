/** TLS between the gateway and the agents, and whom it trusts there. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { isDnsName } from './address.ts';

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END \1-----/g;

/** What is wrong with a list of certificates; undefined: nothing. It never repeats what was given. */
function whyNoCertificates(text: string): string | undefined {
  const blocks = [...text.matchAll(BLOCK)];
  const other = blocks.find(([, label]) => label !== 'CERTIFICATE');
  if (other !== undefined) return `must hold certificates alone, not a ${other[1] ?? ''}`;
  if (blocks.length === 0 || text.replace(BLOCK, '').includes('-----'))
    return 'must be certificates in PEM: the text from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, not the name of a file';
  for (const [index, [block]] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch {
      return `its certificate ${index + 1} can not be read`;
    }
  }
  return undefined;
}

export const AgentTls = z
  .strictObject({
    /**
     * The name that each agent's certificate must have, which is asked for by SNI too; an IP address is not asked for. Default: the DNS name that
     * the agent's address stands under in `spec.addresses`.
     */
    serverName: z
      .string()
      .max(253)
      .toLowerCase()
      .refine((name) => isIP(name) !== 0 || isDnsName(name), 'must be a DNS name or an IP address, without port')
      .optional(),
    /** Authorities, as certificates in PEM, that the agents' certificates must come from. Default: those that the gateway's machine trusts. */
    ca: z
      .string()
      .max(262_144)
      .superRefine((text, context) => {
        const message = whyNoCertificates(text);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      })
      .optional(),
    /** Any certificate is taken: whoever can get between gateway and agent can read and change everything. */
    insecure: z.boolean().default(false),
  })
  .refine(({ ca, insecure }) => ca === undefined || !insecure, {
    path: ['insecure'],
    error: 'can not stand beside ca, which would be for nothing',
  });
export type AgentTls = z.infer<typeof AgentTls>;

/** Whether an agent that no DNS name stands for can't be told by its certificate. */
export const needsServerName = (tls: AgentTls | undefined): boolean =>
  tls !== undefined && tls.serverName === undefined && !tls.insecure;
