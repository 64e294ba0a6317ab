/** What is known of an instance's health now. Kept in memory: it is found anew within one interval after a restart. */
import { z } from 'zod';
import { Name, Timestamp } from './meta.ts';
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
const HealthLevel = z.enum(HEALTH_LEVELS);
export type HealthLevel = z.infer<typeof HealthLevel>;

const Verdict = z.enum(['healthy', 'degraded', 'unhealthy', 'unknown']);
export type Verdict = z.infer<typeof Verdict>;

export const HealthReport = z
  .strictObject({
    verdict: Verdict,
    reason: z.string().describe('One sentence: what made the verdict.'),
    latencyMs: z.number().describe("Of the service's probe, as are the next two."),
    checkedAt: Timestamp,
    consecutiveFailures: z.int().min(0),
    since: Timestamp.describe('When the verdict last changed.'),
    gateway: z
      .enum(['ok', 'failed', 'unknown'])
      .describe(
        "Whether the gateway's own check passes. failed: it gets no new sessions, whatever the verdict; unknown: not checked yet.",
      ),
  })
  .meta({ id: 'HealthReport' });
export type HealthReport = Readonly<z.infer<typeof HealthReport>>;

const LevelReport = z.strictObject({
  level: HealthLevel,
  state: z
    .enum(['ok', 'degraded', 'failed', 'unknown', 'off'])
    .describe('unknown: nothing has looked at it yet, or it was not reached; off: nothing looks at it.'),
  reason: z.string(),
  latencyMs: z.number().nullable(),
  checkedAt: Timestamp.nullable(),
  source: z.string().describe('Which check told.'),
});
export type LevelReport = Readonly<z.infer<typeof LevelReport>>;

const CheckOutcome = z.strictObject({ at: Timestamp, ok: z.boolean(), latencyMs: z.number(), reason: z.string() });
export type CheckOutcome = Readonly<z.infer<typeof CheckOutcome>>;

const CheckReport = z.strictObject({
  name: z.string(),
  type: z.string(),
  effect: z.enum(['unhealthy', 'degraded']),
  verdict: z.enum(['healthy', 'unhealthy', 'unknown']),
  consecutiveFailures: z.int().min(0),
  history: z.array(CheckOutcome).readonly().describe('Newest first, at most 20.'),
});
export type CheckReport = Readonly<z.infer<typeof CheckReport>>;

/** GET /v1/instances/{id}/health */
export const HealthDetail = HealthReport.extend({
  levels: z.array(LevelReport).readonly(),
  checks: z.array(CheckReport).readonly(),
  verdicts: z
    .array(z.strictObject({ at: Timestamp, verdict: Verdict, reason: z.string() }))
    .readonly()
    .describe('The last ones, newest first.'),
}).meta({ id: 'HealthDetail' });
export type HealthDetail = Readonly<z.infer<typeof HealthDetail>>;
