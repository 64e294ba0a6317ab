/** What is known of an instance's health now. Kept in memory: it is found anew within one interval after a restart. */
import { z } from 'zod';
import { Name } from './meta.ts';
import { Probe } from './probe.ts';
import { PositiveDuration } from './units.ts';

/** One more check beside the service's probe. */
export const Check = Probe.extend({
  name: Name,
  /** What it makes of the instance when it fails: `degraded` gets new sessions only if no other is well. */
  effect: z.enum(['unhealthy', 'degraded']).default('unhealthy'),
});

/** How everything that is known of an instance is combined, and what follows. */
export const HealthRules = z.strictObject({
  /** Beside the probe, each with its own type, interval and threshold. */
  checks: z.array(Check).max(8).default([]),
  /** Whether the agent's own reports of its status count. */
  report: z.enum(['use', 'ignore']).default('use'),
  /** `restart`: an instance that is unhealthy for `restartAfter` is ended and started again. Its sessions end with it, so that their clients are free to reconnect. */
  onUnhealthy: z.enum(['keep', 'restart']).default('keep'),
  restartAfter: PositiveDuration.default('30s'),
});
export type HealthRules = z.infer<typeof HealthRules>;

export const HEALTH_LEVELS = ['process', 'tcp', 'http', 'websocket', 'application', 'gateway', 'agent'] as const;
export type HealthLevel = (typeof HEALTH_LEVELS)[number];

export type Verdict = 'healthy' | 'degraded' | 'unhealthy' | 'unknown';

export interface HealthReport {
  readonly verdict: Verdict;
  /** One sentence: what made the verdict. */
  readonly reason: string;
  /** Of the service's probe, as are the next two. */
  readonly latencyMs: number;
  readonly checkedAt: string;
  readonly consecutiveFailures: number;
  /** When the verdict last changed. */
  readonly since: string;
}

export interface LevelReport {
  readonly level: HealthLevel;
  /** `unknown`: nothing has looked at it yet, or it was not reached; `off`: nothing looks at it. */
  readonly state: 'ok' | 'degraded' | 'failed' | 'unknown' | 'off';
  readonly reason: string;
  readonly latencyMs: number | null;
  readonly checkedAt: string | null;
  /** Which check told. */
  readonly source: string;
}

export interface CheckOutcome {
  readonly at: string;
  readonly ok: boolean;
  readonly latencyMs: number;
  readonly reason: string;
}

export interface CheckReport {
  readonly name: string;
  readonly type: string;
  readonly effect: 'unhealthy' | 'degraded';
  readonly verdict: 'healthy' | 'unhealthy' | 'unknown';
  readonly consecutiveFailures: number;
  /** Newest first, at most 20. */
  readonly history: readonly CheckOutcome[];
}

/** GET /v1/instances/{id}/health */
export interface HealthDetail extends HealthReport {
  readonly levels: readonly LevelReport[];
  readonly checks: readonly CheckReport[];
  /** The last verdicts, newest first. */
  readonly verdicts: readonly { readonly at: string; readonly verdict: Verdict; readonly reason: string }[];
}
