/** What is told of a gateway beyond its stream. */
import { z } from 'zod';

/** One Envoy has taken over from another. */
export interface GatewayRestart {
  readonly node: string;
  readonly dryRun: boolean;
  /** Process ids. */
  readonly from: number | null;
  readonly to: number | null;
  /** What the old one has open, and serves on. */
  readonly sessions: number;
  /** What is open then is ended; null: never. */
  readonly until: string | null;
}

export interface CertificateStatus {
  /** `control-plane` or a gateway's node id. */
  readonly name: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly renewAt: string;
  /** All that was issued to this gateway up to then is refused. */
  readonly revokedAt?: string;
}

/** For an Envoy elsewhere that is to come to this control plane. */
export const GatewayCertificateRequest = z.strictObject({
  /** Its node id. */
  gateway: z.string().min(1).max(128),
  /** PEM (SPKI) of an ECDSA P-256 key; the other half is nobody else's. */
  publicKey: z.string().max(10_000),
  /** Where it will find its files. */
  folder: z
    .string()
    .regex(/^\/|^[A-Za-z]:[\\/]/, 'must be an absolute path')
    .max(1000),
  /** Where it finds the control plane; absent: where that listens. */
  xds: z.strictObject({ host: z.string().min(1).max(253), port: z.int().min(1).max(65_535) }).optional(),
});
export type GatewayCertificateRequest = Readonly<z.infer<typeof GatewayCertificateRequest>>;

export interface GatewayCertificate {
  readonly status: CertificateStatus;
  /** The certificate. */
  readonly pem: string;
  /** Texts of files: whom it trusts, and what it is started with. */
  readonly authority: string;
  readonly bootstrap: string;
}

/** Both views of the resources of one type, by the name of the resource. */
export interface ConfigDifference {
  readonly onlySent: readonly string[];
  readonly onlyEnvoy: readonly string[];
  /** `patch`: unified, from what was sent to what Envoy has; secrets left out. */
  readonly differ: readonly { readonly name: string; readonly patch: string }[];
}

/** Secrets are left out. */
export interface GatewayConfig {
  readonly node: string;
  /** cds, eds, lds, rds, ecds or sds. */
  readonly type: string;
  readonly sent: readonly {
    readonly name: string;
    readonly state: string;
    /** What it is to have; empty: it is to go. */
    readonly version: string;
    readonly acked: string;
    readonly revision: number;
    readonly sentAt: string | null;
    readonly answeredAt: string | null;
    readonly nack?: { readonly message: string; readonly version: string; readonly at: string };
    readonly resource?: unknown;
  }[];
  readonly envoy:
    | { readonly reachable: false; readonly reason: string }
    | {
        readonly reachable: true;
        readonly items: readonly {
          readonly name: string;
          readonly version: string;
          readonly lastUpdated: string | null;
          readonly warming: boolean;
          readonly error?: string;
          readonly resource: unknown;
        }[];
      };
  /** Null: Envoy can't be asked. */
  readonly difference: ConfigDifference | null;
}

export interface Refusal {
  /** cds, eds and so on. */
  readonly type: string;
  /** Of the resource. */
  readonly name: string;
  /** Envoy's own text. */
  readonly message: string;
  readonly since: string;
  /** What it comes from, where it comes from one. */
  readonly owner: { readonly kind: 'Service' | 'Route'; readonly name: string } | null;
}

/** One thing in which an Envoy differs from the registry. */
export interface Drift {
  readonly type: string;
  readonly name: string;
  /** A sentence that goes on after the name. */
  readonly message: string;
}

export interface DriftReport {
  readonly node: string;
  readonly lookedAt: string;
  /** Why Envoy could not be asked; empty: it could. */
  readonly unreachable: string;
  readonly drift: readonly Drift[];
}
