/** One check of one instance: its results in a row, its verdict with hysteresis, and the last twenty outcomes. Pure but for its memory. */
import type { CheckOutcome, CheckReport } from '../model/health.ts';
import type { Probe } from '../model/probe.ts';
import type { ProbeLevel, ProbeResult } from '../probes/probe.ts';

/** A probe of the service with a name, and what it means for the instance. */
export interface NamedCheck {
  readonly name: string;
  readonly probe: Probe;
  readonly effect: 'unhealthy' | 'degraded';
}

export interface CheckState {
  readonly check: NamedCheck;
  /** The highest level that it proves. */
  readonly level: ProbeLevel;
  verdict: CheckReport['verdict'];
  last: { readonly result: ProbeResult; readonly at: number } | undefined;
  failures: number;
  successes: number;
  /** Of passed checks, smoothed. */
  latencyMs: number | undefined;
  /** Oldest first. */
  readonly history: CheckOutcome[];
}

const HISTORY = 20;
/** Of the newest latency against those before. */
const LATENCY_WEIGHT = 0.3;

export function newCheckState(check: NamedCheck, level: ProbeLevel): CheckState {
  return {
    check,
    level,
    verdict: 'unknown',
    last: undefined,
    failures: 0,
    successes: 0,
    latencyMs: undefined,
    history: [],
  };
}

/** What goes on when the same instance is looked at in another way: its verdict and its past, not its failures so far. */
export function continued(old: CheckState, check: NamedCheck, level: ProbeLevel): CheckState {
  return { ...old, check, level, failures: 0 };
}

/** Notes a result. `decisive`: something else has told of trouble too, so one failure is enough. True if the verdict changed. */
export function noteResult(state: CheckState, result: ProbeResult, at: number, decisive: boolean): boolean {
  const { probe } = state.check;
  state.last = { result, at };
  state.failures = result.ok ? 0 : decisive ? Math.max(state.failures + 1, probe.failures) : state.failures + 1;
  state.successes = result.ok ? state.successes + 1 : 0;
  if (result.ok)
    state.latencyMs =
      state.latencyMs === undefined
        ? result.latencyMs
        : state.latencyMs + LATENCY_WEIGHT * (result.latencyMs - state.latencyMs);
  const { ok, latencyMs, reason } = result;
  state.history.push({ at: new Date(at).toISOString(), ok, latencyMs, reason });
  if (state.history.length > HISTORY) state.history.shift();
  const before = state.verdict;
  if (result.ok && state.successes >= probe.successes) state.verdict = 'healthy';
  else if (!result.ok && state.failures >= probe.failures) state.verdict = 'unhealthy';
  return state.verdict !== before;
}

export function checkReport({ check, verdict, failures, history }: CheckState): CheckReport {
  return {
    name: check.name,
    type: check.probe.type,
    effect: check.effect,
    verdict,
    consecutiveFailures: failures,
    history: [...history].reverse(),
  };
}
