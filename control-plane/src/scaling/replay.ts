/** What a policy would have done over recorded history: the same scaler, on a clock of its own. Pure. */
import type { Autoscale } from '../model/autoscale.ts';
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

export interface ReplayedStep {
  readonly at: string;
  readonly sessions: number | null;
  /** As it was. */
  readonly ready: number | null;
  /** As the policy would have had it: wanted, and ready by then. */
  readonly wanted: number;
  readonly wouldBeReady: number;
}

export interface ReplayedMove {
  readonly at: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
  readonly message: string;
}

export interface Replay {
  readonly steps: readonly ReplayedStep[];
  readonly moves: readonly ReplayedMove[];
  readonly summary: {
    readonly fewest: number;
    readonly most: number;
    /** Hours of instances, as it was and as it would have been. */
    readonly instanceHours: { readonly was: number; readonly wouldBe: number };
    /** Seconds in which there was no room for the sessions that were open; null: the policy does not say how many an instance holds. */
    readonly overloadedSeconds: number | null;
  };
}

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
