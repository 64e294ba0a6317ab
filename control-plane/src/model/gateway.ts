/** What is told of a gateway beyond its stream. */
import { z } from 'zod';
import { Timestamp } from './meta.ts';

/** Where Envoy tells the client's address when it asks whether a session may be opened: a key of the call's metadata. */
export const CLIENT_ADDRESS = 'x-switchboard-client';

/** One Envoy has taken over from another. */
export const GatewayRestart = z.strictObject({
  node: z.string(),
  dryRun: z.boolean(),
  from: z.int().nullable().describe('Process id.'),
  to: z.int().nullable().describe('Process id.'),
  sessions: z.int().min(0).describe('What the old one has open, and serves on.'),
  until: Timestamp.nullable().describe('What is open then is ended; null: never.'),
});
export type GatewayRestart = Readonly<z.infer<typeof GatewayRestart>>;

export const CertificateStatus = z
  .strictObject({
    name: z.string().describe("`control-plane` or a gateway's node id."),
    serial: z.string(),
    notBefore: Timestamp,
    notAfter: Timestamp,
    renewAt: Timestamp,
    revokedAt: Timestamp.exactOptional().describe('All that was issued to this gateway up to then is refused.'),
  })
  .meta({ id: 'CertificateStatus' });
export type CertificateStatus = Readonly<z.infer<typeof CertificateStatus>>;

/** For an Envoy elsewhere that is to come to this control plane. */
export const GatewayCertificateRequest = z.strictObject({
  /** Its node id. */
  gateway: z.string().min(1).max(128),
  /** PEM (SPKI) of an ECDSA P-256 key; the other half is nobody else's. */
  publicKey: z.string().max(10_000).describe('must be PEM, a PUBLIC KEY'),
  /** Where it will find its files. */
  folder: z
    .string()
    .regex(/^\/|^[A-Za-z]:[\\/]/, 'must be an absolute path')
    .max(1000),
  /** Where it finds the control plane; absent: where that listens. */
  xds: z.strictObject({ host: z.string().min(1).max(253), port: z.int().min(1).max(65_535) }).optional(),
});
export type GatewayCertificateRequest = Readonly<z.infer<typeof GatewayCertificateRequest>>;

export const GatewayCertificate = z.strictObject({
  status: CertificateStatus,
  pem: z.string().describe('The certificate.'),
  authority: z.string().describe('Text of the file that says whom it trusts.'),
  bootstrap: z.string().describe('Text of the file that it is started with.'),
});
export type GatewayCertificate = Readonly<z.infer<typeof GatewayCertificate>>;

/** Both views of the resources of one type, by the name of the resource. */
const ConfigDifference = z.strictObject({
  onlySent: z.array(z.string()).readonly(),
  onlyEnvoy: z.array(z.string()).readonly(),
  differ: z
    .array(z.strictObject({ name: z.string(), patch: z.string() }))
    .readonly()
    .describe('`patch`: unified, from what was sent to what Envoy has; secrets left out.'),
});
export type ConfigDifference = Readonly<z.infer<typeof ConfigDifference>>;

/** As protobuf's JSON has it. */
const Resource = z.unknown().describe('The resource, as protobuf has it in JSON.');

/** Secrets are left out. */
export const GatewayConfig = z.strictObject({
  node: z.string(),
  type: z.string().describe('cds, eds, lds, rds, ecds or sds.'),
  sent: z
    .array(
      z.strictObject({
        name: z.string(),
        state: z.string(),
        version: z.string().describe('What it is to have; empty: it is to go.'),
        sent: z.string().describe('Version last sent; empty: none.'),
        acked: z.string().describe('Version last acknowledged; empty: none.'),
        revision: z.int().min(0),
        sentAt: Timestamp.nullable(),
        answeredAt: Timestamp.nullable(),
        nack: z.strictObject({ message: z.string(), version: z.string(), at: Timestamp }).exactOptional(),
        resource: Resource.exactOptional(),
      }),
    )
    .readonly(),
  envoy: z.discriminatedUnion('reachable', [
    z.strictObject({ reachable: z.literal(false), reason: z.string() }),
    z.strictObject({
      reachable: z.literal(true),
      items: z
        .array(
          z.strictObject({
            name: z.string(),
            version: z.string(),
            lastUpdated: z.string().nullable(),
            warming: z.boolean(),
            error: z.string().exactOptional(),
            resource: Resource,
          }),
        )
        .readonly(),
    }),
  ]),
  difference: ConfigDifference.nullable().describe("Null: Envoy can't be asked."),
});
export type GatewayConfig = Readonly<z.infer<typeof GatewayConfig>>;

export const Refusal = z.strictObject({
  type: z.string().describe('cds, eds and so on.'),
  name: z.string().describe('Of the resource.'),
  message: z.string().describe("Envoy's own text."),
  since: Timestamp,
  owner: z
    .strictObject({ kind: z.enum(['Service', 'Route']), name: z.string() })
    .nullable()
    .describe('What it comes from, where it comes from one.'),
});
export type Refusal = Readonly<z.infer<typeof Refusal>>;

/** One thing in which an Envoy differs from the registry. */
const Drift = z.strictObject({
  type: z.string(),
  name: z.string(),
  message: z.string().describe('A sentence that goes on after the name.'),
});
export type Drift = Readonly<z.infer<typeof Drift>>;

export const DriftReport = z
  .strictObject({
    node: z.string(),
    lookedAt: Timestamp,
    unreachable: z.string().describe('Why Envoy could not be asked; empty: it could.'),
    drift: z.array(Drift).readonly(),
  })
  .meta({ id: 'DriftReport' });
export type DriftReport = Readonly<z.infer<typeof DriftReport>>;
