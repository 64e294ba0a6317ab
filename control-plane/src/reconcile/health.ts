/**
 * The health monitor: probes every instance at its interval, spread by jitter and bounded in number, and turns results into
 * a verdict with hysteresis. Verdicts are not stored: after a restart a ready instance counts as healthy until a probe
 * says otherwise, since taking it out on no evidence would end its share of new sessions for nothing.
 */
import type { HealthReport } from '../model/health.ts';
import type { Probe } from '../model/service.ts';
import { durationMs } from '../model/units.ts';
import type { HealthProbe, ProbeResult, ProbeTarget } from '../probes/probe.ts';

export interface HealthTarget {
  readonly id: string;
  readonly target: ProbeTarget;
  readonly probe: Probe;
  /** While it starts it is probed often, so that it is ready soon. */
  readonly starting: boolean;
}

export interface HealthMonitor {
  /** Replaces the set of what is probed. An unchanged target keeps its state and its timer. */
  sync(targets: readonly HealthTarget[]): void;
  report(id: string): HealthReport | undefined;
  /** The verdict alone: cheap, for every instance at every turn. */
  verdict(id: string): HealthReport['verdict'];
  /** Milliseconds of a passed check, smoothed; undefined: none has passed yet. */
  latency(id: string): number | undefined;
  close(): void;
}

export interface HealthOptions {
  readonly createProbe: (probe: Probe) => HealthProbe;
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** The verdict of this instance has changed. */
  readonly onChange: (id: string) => void;
  /** Each check's outcome. */
  readonly onResult?: (id: string, result: ProbeResult) => void;
}

/** At most this many probes at a time. */
const CONCURRENCY = 64;
/** While starting: the first probe after this many milliseconds, each later one half as long again, up to a second. */
const FIRST_START_PROBE_MS = 40;
const SLOWEST_START_PROBE_MS = 1_000;

/** Of the newest latency against those before. */
const LATENCY_WEIGHT = 0.3;

/** After a first failure. */
const RECHECK_MS = 1_000;

interface Watched {
  key: string;
  target: HealthTarget;
  run: HealthProbe;
  timer: NodeJS.Timeout | undefined;
  abort: AbortController;
  verdict: HealthReport['verdict'];
  last: { result: ProbeResult; at: number } | undefined;
  failures: number;
  successes: number;
  attempts: number;
  latencyMs: number | undefined;
}

function keyOf(target: HealthTarget): string {
  return JSON.stringify([target.target, target.probe, target.starting]);
}

export function createHealthMonitor(options: HealthOptions): HealthMonitor {
  const watched = new Map<string, Watched>();
  const waiting: (() => void)[] = [];
  let running = 0;
  let closed = false;

  function delay(entry: Watched): number {
    const interval = durationMs(entry.target.probe.interval);
    if (entry.target.starting)
      return Math.min(FIRST_START_PROBE_MS * 1.5 ** entry.attempts, SLOWEST_START_PROBE_MS, interval);
    // The first probe of a ready instance comes anywhere in its interval, so that a fleet is not probed in one burst.
    // What may be ill is looked at again soon, so that a long interval does not make a late verdict.
    if (entry.failures > 0 && entry.verdict !== 'unhealthy') return Math.min(RECHECK_MS, interval);
    const wait = entry.attempts === 0 ? interval * options.random() : interval * (0.9 + 0.2 * options.random());
    // Probes are due at tenths of their interval: waking up once for several costs a third of waking up for each.
    const grid = interval / 10;
    const present = options.now();
    return Math.max(1, Math.ceil((present + wait) / grid) * grid - present);
  }

  function schedule(entry: Watched): void {
    if (closed || isDropped(entry)) return;
    entry.timer = setTimeout(() => {
      if (running < CONCURRENCY) void check(entry);
      else waiting.push(() => void check(entry));
    }, delay(entry));
  }

  async function check(entry: Watched): Promise<void> {
    if (isDropped(entry)) {
      waiting.shift()?.();
      return;
    }
    running += 1;
    const limit = AbortSignal.any([entry.abort.signal, AbortSignal.timeout(durationMs(entry.target.probe.timeout))]);
    const result = await entry.run(entry.target.target, limit);
    running -= 1;
    waiting.shift()?.();
    if (isDropped(entry)) return;
    entry.attempts += 1;
    options.onResult?.(entry.target.id, result);
    judge(entry, result);
    schedule(entry);
  }

  function judge(entry: Watched, result: ProbeResult): void {
    entry.last = { result, at: options.now() };
    if (result.ok)
      entry.latencyMs =
        entry.latencyMs === undefined
          ? result.latencyMs
          : entry.latencyMs + LATENCY_WEIGHT * (result.latencyMs - entry.latencyMs);
    entry.failures = result.ok ? 0 : entry.failures + 1;
    entry.successes = result.ok ? entry.successes + 1 : 0;
    const before = entry.verdict;
    if (result.ok && entry.successes >= entry.target.probe.successes) entry.verdict = 'healthy';
    else if (!result.ok && entry.failures >= entry.target.probe.failures) entry.verdict = 'unhealthy';
    if (entry.verdict !== before) options.onChange(entry.target.id);
  }

  const isDropped = (entry: Watched): boolean => entry.abort.signal.aborted;

  function drop(entry: Watched): void {
    clearTimeout(entry.timer);
    entry.abort.abort();
  }

  return {
    sync(targets) {
      const wanted = new Set(targets.map((target) => target.id));
      for (const [id, entry] of watched) {
        if (wanted.has(id)) continue;
        drop(entry);
        watched.delete(id);
      }
      for (const target of targets) {
        const old = watched.get(target.id);
        if (old?.target === target) continue;
        const key = keyOf(target);
        if (old?.key === key) {
          old.target = target;
          continue;
        }
        if (old !== undefined) drop(old);
        // From starting to ready its verdict goes on; anything else is judged anew.
        const goesOn = old !== undefined && JSON.stringify(old.target.target) === JSON.stringify(target.target);
        const entry: Watched = {
          key,
          target,
          run: options.createProbe(target.probe),
          timer: undefined,
          abort: new AbortController(),
          verdict: goesOn ? old.verdict : 'unknown',
          last: goesOn ? old.last : undefined,
          failures: 0,
          successes: goesOn ? old.successes : 0,
          attempts: 0,
          latencyMs: goesOn ? old.latencyMs : undefined,
        };
        watched.set(target.id, entry);
        schedule(entry);
      }
    },
    latency: (id) => watched.get(id)?.latencyMs,
    verdict: (id) => watched.get(id)?.verdict ?? 'unknown',
    report(id) {
      const entry = watched.get(id);
      if (entry?.last === undefined) return undefined;
      return {
        verdict: entry.verdict,
        reason: entry.last.result.reason,
        latencyMs: entry.last.result.latencyMs,
        checkedAt: new Date(entry.last.at).toISOString(),
        consecutiveFailures: entry.failures,
      };
    },
    close() {
      closed = true;
      for (const entry of watched.values()) drop(entry);
      watched.clear();
    },
  };
}
