/** From all that is known of an instance to one verdict with a sentence of reason, and to the state of each level. Pure. */
import type { HealthLevel, LevelReport, Verdict } from '../model/health.ts';
import type { HeldLoadReport } from '../model/load.ts';
import type { ProbeLevel } from '../probes/probe.ts';
import type { CheckState } from './check-state.ts';

/** What the gateways' own checks say: `failed` gets no new sessions from them, whatever we think. */
export interface GatewayOpinion {
  readonly state: 'ok' | 'failed';
  readonly reason: string;
  readonly at: string;
}

export interface Evidence {
  /** The service's probe first. */
  readonly checks: readonly CheckState[];
  /** A sentence if the process is stopped or gone; undefined: it runs, or there is none here. */
  readonly stopped: string | undefined;
  readonly processSeenAt: string | undefined;
  readonly gateway: GatewayOpinion | undefined;
  readonly reported: HeldLoadReport | undefined;
}

export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: string;
}

function lastReason({ check, last }: CheckState): string {
  const reason = last?.result.reason ?? 'not checked yet';
  return check.name === 'probe' ? reason : `check ${check.name}: ${reason}`;
}

/** The worst evidence decides; among equals the first in this order. */
export function judge({ checks, stopped, gateway, reported }: Evidence): Judgement {
  if (stopped !== undefined) return { verdict: 'unhealthy', reason: stopped };
  const bad = checks.find((state) => state.verdict === 'unhealthy' && state.check.effect === 'unhealthy');
  if (bad !== undefined) return { verdict: 'unhealthy', reason: lastReason(bad) };
  if (reported?.status === 'unhealthy') return { verdict: 'unhealthy', reason: said(reported) };
  const open = checks.find((state) => state.verdict === 'unknown' && state.check.effect === 'unhealthy');
  if (open !== undefined) return { verdict: 'unknown', reason: lastReason(open) };
  const poor = checks.find((state) => state.verdict === 'unhealthy');
  if (poor !== undefined) return { verdict: 'degraded', reason: lastReason(poor) };
  if (gateway?.state === 'failed') return { verdict: 'degraded', reason: gateway.reason };
  if (reported?.status === 'full' || reported?.status === 'degraded')
    return { verdict: 'degraded', reason: said(reported) };
  const [first] = checks;
  return { verdict: 'healthy', reason: first === undefined ? 'nothing speaks against it' : lastReason(first) };
}

function said({ status, message }: HeldLoadReport): string {
  return `the agent says that it is ${status}${message === '' ? '' : `: ${message}`}`;
}

/** From the outside in; a check that proves one has passed those before. */
const LADDER: readonly ProbeLevel[] = ['tcp', 'http', 'websocket', 'application'];

type Seen = Pick<LevelReport, 'state' | 'reason'>;

/** What the last result of a check says of a level; undefined: nothing. */
function seenBy(state: CheckState, level: ProbeLevel): Seen | undefined {
  if (state.last === undefined) return undefined;
  const { ok, reason, failedAt = state.level } = state.last.result;
  if (state.level === 'process' || level === 'process')
    return state.level === level ? { state: ok ? 'ok' : 'failed', reason } : undefined;
  const rung = LADDER.indexOf(level);
  if (rung > LADDER.indexOf(state.level)) return undefined;
  if (ok) return { state: 'ok', reason };
  const failed = LADDER.indexOf(failedAt);
  if (rung < failed) return { state: 'ok', reason: 'was passed on the way' };
  return rung === failed ? { state: 'failed', reason } : { state: 'unknown', reason: `not reached: ${reason}` };
}

/** A check that looks exactly at the level knows best; then the newest. */
function byProbes(checks: readonly CheckState[], level: ProbeLevel): LevelReport | undefined {
  const found = checks
    .flatMap((state) => {
      const seen = seenBy(state, level);
      return seen === undefined || state.last === undefined ? [] : [{ state, seen, last: state.last }];
    })
    .sort((a, b) => Number(b.state.level === level) - Number(a.state.level === level) || b.last.at - a.last.at)[0];
  if (found === undefined) return undefined;
  const { state, seen, last } = found;
  return {
    level,
    ...seen,
    latencyMs: last.result.latencyMs,
    checkedAt: new Date(last.at).toISOString(),
    source: state.check.name,
  };
}

function silent(level: HealthLevel, checks: readonly CheckState[]): LevelReport {
  const watched = LADDER.some((one) => one === level) && checks.some((state) => seenLater(state, level));
  return {
    level,
    state: watched ? 'unknown' : 'off',
    reason: watched ? 'not checked yet' : 'nothing looks at it',
    latencyMs: null,
    checkedAt: null,
    source: '',
  };
}

function seenLater(state: CheckState, level: HealthLevel): boolean {
  return LADDER.indexOf(level as ProbeLevel) <= LADDER.indexOf(state.level);
}

/** One entry for each level, from the process to the agent's own word. */
export function levelsOf(evidence: Evidence): LevelReport[] {
  const { checks, stopped, processSeenAt, gateway, reported } = evidence;
  const ladder = LADDER.map((level) => byProbes(checks, level) ?? silent(level, checks));
  const process: LevelReport =
    processSeenAt === undefined
      ? (byProbes(checks, 'process') ?? silent('process', []))
      : {
          level: 'process',
          state: stopped === undefined ? 'ok' : 'failed',
          reason: stopped ?? 'its process runs',
          latencyMs: null,
          checkedAt: processSeenAt,
          source: 'runtime',
        };
  const seenByGateway: LevelReport =
    gateway === undefined
      ? { ...silent('gateway', []), state: 'unknown', reason: 'the gateway has not told yet' }
      : { level: 'gateway', ...gateway, latencyMs: null, checkedAt: gateway.at, source: "Envoy's own check" };
  const agent: LevelReport =
    reported === undefined
      ? { ...silent('agent', []), reason: 'the agent does not report' }
      : {
          level: 'agent',
          state: reported.status === 'ok' ? 'ok' : reported.status === 'unhealthy' ? 'failed' : 'degraded',
          reason: `load ${reported.load}${reported.message === '' ? '' : `: ${reported.message}`}`,
          latencyMs: null,
          checkedAt: reported.at,
          source: 'its own report',
        };
  return [process, ...ladder, withoutAt(seenByGateway), agent];
}

/** Only the fields of a report. */
function withoutAt({ level, state, reason, latencyMs, checkedAt, source }: LevelReport): LevelReport {
  return { level, state, reason, latencyMs, checkedAt, source };
}
