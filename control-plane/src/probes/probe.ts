/** The HealthProbe port: one check of one instance. When, how often and what follows is the health monitor's (reconcile/). */
import type { z } from 'zod';
import type { ProcessIdentity } from '../model/instance.ts';

/** How its certificate is judged. */
export interface TargetTls {
  /** The name that it must have, and that is asked for by SNI if it is a DNS name. */
  readonly serverName?: string;
  /** Authorities in PEM, or a file of them. */
  readonly ca?: string;
  readonly caFile?: string;
  /** It is not judged. */
  readonly insecure: boolean;
}

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  readonly process?: ProcessIdentity;
  /** Absent: plain. */
  readonly tls?: TargetTls;
  /** Sent as Host. Default: its address. */
  readonly hostHeader?: string;
}

/** How far up a check looks. Each level stands on those before it; `process` stands alone. */
export type ProbeLevel = 'process' | 'tcp' | 'http' | 'websocket' | 'application';

/** `reason` says in one sentence what was seen; never empty when not ok. */
export interface ProbeResult {
  readonly ok: boolean;
  readonly latencyMs: number;
  readonly reason: string;
  /** Where it failed, if it did. */
  readonly failedAt?: ProbeLevel;
  /** Put in by the health monitor, for a process of this machine that can't be connected to: where it listens instead. */
  readonly elsewhere?: string;
  /** Nothing came back at all, not even a refusal: its host or the wire to it is away. */
  readonly unanswered?: true;
}

/** Never throws and never outlives the signal; leaves no socket open. */
export type HealthProbe = (target: ProbeTarget, signal: AbortSignal) => Promise<ProbeResult>;

export interface ProbeDriver<Options> {
  readonly name: string;
  /** One line for the documentation. */
  readonly about: string;
  /** The highest level that it proves; default: application. */
  readonly level?: ProbeLevel;
  readonly options: z.ZodType<Options>;
  create(options: Options): HealthProbe;
}
