/** What a policy would have done over recorded history: the same scaler, on a clock of its own. Pure. */
import { z } from 'zod';
import type { Autoscale } from '../model/autoscale.ts';
import { Timestamp } from '../model/meta.ts';
import { createScaler } from './scaler.ts';

/** A step of recorded history; null: nothing was recorded. */
export interface RecordedStep {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly sessions: number | null;
  /** Instances that were ready, and what all of them used together. */
  readonly ready: number | null;
  readonly cpuCores: number | null;
  readonly memoryBytes: number | null;
}

const ReplayedStep = z.strictObject({
  at: Timestamp,
  sessions: z.number().nullable().describe('As it was.'),
  ready: z.number().nullable().describe('As it was.'),
  wanted: z.int().min(0).describe('As the policy would have had it.'),
  wouldBeReady: z.int().min(0).describe('As the policy would have had it, by then.'),
});
type ReplayedStep = Readonly<z.infer<typeof ReplayedStep>>;

const ReplayedMove = z.strictObject({
  at: Timestamp,
  from: z.int().min(0),
  to: z.int().min(0),
  reason: z.string(),
  message: z.string(),
});
type ReplayedMove = Readonly<z.infer<typeof ReplayedMove>>;

export const Replay = z.strictObject({
  steps: z.array(ReplayedStep).readonly(),
  moves: z.array(ReplayedMove).readonly(),
  summary: z.strictObject({
    fewest: z.int().min(0),
    most: z.int().min(0),
    instanceHours: z
      .strictObject({ was: z.number(), wouldBe: z.number() })
      .describe('Hours of instances, as it was and as it would have been.'),
    overloadedSeconds: z
      .int()
      .nullable()
      .describe(
        'In which there was no room for the sessions that were open; null: the policy does not say how many an instance holds.',
      ),
  }),
});
export type Replay = Readonly<z.infer<typeof Replay>>;

export interface ReplayOptions {
  readonly stepMs: number;
  /** How often the scaler looks. */
  readonly tickMs: number;
  /** From when an instance is wanted to when it is ready. */
  readonly startMs: number;
}

export function replay(policy: Autoscale, recorded: readonly RecordedStep[], options: ReplayOptions): Replay {
  const scaler = createScaler(policy);
  const first = recorded.find((step) => step.ready !== null)?.ready ?? policy.min;
  let wanted = Math.min(policy.max, Math.max(policy.min, Math.round(first)));
  /** Instances by the time at which each is ready. */
  let readyAt: number[] = Array.from({ length: wanted }, () => 0);
  const moves: ReplayedMove[] = [];
  let overloadedMs = 0;

  function tick(at: number, step: RecordedStep): void {
    const ready = readyAt.filter((time) => time <= at).length;
    const decision = scaler.decide({
      at,
      ready,
      replicas: wanted,
      ...(step.sessions === null ? {} : { sessions: Math.round(step.sessions) }),
      ...(step.cpuCores === null ? {} : { cpuCores: step.cpuCores }),
      ...(step.memoryBytes === null ? {} : { memoryBytes: step.memoryBytes }),
    });
    if (policy.sessions !== undefined && (step.sessions ?? 0) > ready * policy.sessions) overloadedMs += options.tickMs;
    if (decision.to === wanted) return;
    const { from, to, reason, message } = decision;
    moves.push({ at: decision.at, from, to, reason, message });
    while (readyAt.length < to) readyAt.push(at + options.startMs);
    // Those that are not ready yet go first.
    if (readyAt.length > to) readyAt = [...readyAt].sort((a, b) => a - b).slice(0, to);
    wanted = to;
  }

  const steps = recorded.map((step): ReplayedStep => {
    for (let at = step.at; at < step.at + options.stepMs; at += options.tickMs) tick(at, step);
    return {
      at: new Date(step.at).toISOString(),
      sessions: step.sessions,
      ready: step.ready,
      wanted,
      wouldBeReady: readyAt.filter((time) => time <= step.at + options.stepMs).length,
    };
  });
  const hours = (of: (step: ReplayedStep) => number): number =>
    Math.round((steps.reduce((sum, step) => sum + of(step), 0) * options.stepMs) / 36_000) / 100;
  const counts = steps.map((step) => step.wanted);
  return {
    steps,
    moves,
    summary: {
      fewest: Math.min(...counts, wanted),
      most: Math.max(...counts, wanted),
      instanceHours: { was: hours((step) => step.ready ?? 0), wouldBe: hours((step) => step.wanted) },
      overloadedSeconds: policy.sessions === undefined ? null : Math.round(overloadedMs / 1_000),
    },
  };
}
