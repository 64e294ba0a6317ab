/**
 * Measures every new version that has a share of the sessions, at its analysis' interval, and writes what it saw into the rollout's record.
 * What follows from it is decided there (rollout/), so a measurement that is lost with a restart is only made again.
 */
import { alphaOf } from '../analysis/statistics.ts';
import type { LogCount, Measure, VersionFigures } from '../analysis/metric.ts';
import type { Log } from '../log.ts';
import { isActive, type Analysis, type Check, type Measurement, type Rollout } from '../model/rollout.ts';
import { durationMs } from '../model/units.ts';
import type { Registry } from '../registry/registry.ts';
import { judgementOf } from '../rollout/judgement.ts';
import { isStaged } from '../rollout/stages.ts';

export interface AnalystOptions {
  readonly registry: Registry;
  readonly createMeasure: (check: Check) => Measure;
  /** What an analysis measures that names nothing. */
  readonly defaultChecks: readonly string[];
  /** Counts of one version of a service since a moment (milliseconds since the epoch). */
  readonly figuresOf: (service: string, version: number, since: number) => VersionFigures;
  /** Lines of its logs since then, and how many tell of an error. */
  readonly logsOf: (service: string, version: number, since: number) => Promise<LogCount>;
  readonly now: () => number;
  readonly log: Log;
}

export interface Analyst {
  /** Begins what is due; call it about once a second. */
  look(): void;
  close(): void;
}

/** A measurement that takes longer is inconclusive. */
const LONGEST_MS = 10_000;
const KEPT = 200;

export function createAnalyst(options: AnalystOptions): Analyst {
  const { registry, now, log } = options;
  const busy = new Set<string>();
  const closing = new AbortController();

  function checksOf(analysis: Analysis): readonly Check[] {
    return analysis.checks ?? options.defaultChecks.map((metric) => ({ metric, options: {} }));
  }

  async function measure(rollout: Rollout, analysis: Analysis): Promise<Measurement[]> {
    // Of this weight alone: over several, trouble that both have would fall on them in other shares than their sessions do.
    const since = Date.parse(rollout.weightSince ?? rollout.stageSince);
    const checks = checksOf(analysis);
    const input = {
      service: rollout.service,
      canary: options.figuresOf(rollout.service, rollout.to, since),
      stable: options.figuresOf(rollout.service, rollout.from, since),
      minSample: analysis.minSample,
      weight: rollout.weight,
      logsOf: async (version: number) => options.logsOf(rollout.service, version, since),
      falseAlarm: alphaOf(analysis.falseAborts, checks.length, rollout.looks + 1),
    };
    const limit = AbortSignal.any([closing.signal, AbortSignal.timeout(LONGEST_MS)]);
    const readings = await Promise.all(checks.map(async (check) => options.createMeasure(check)(input, limit)));
    // One moment for the whole look: that is how its measurements are known to belong together.
    const at = new Date(now()).toISOString();
    return readings.map((reading, index) => ({ at, metric: checks[index]?.metric ?? '', ...reading }));
  }

  async function lookAt(rollout: Rollout, analysis: Analysis): Promise<void> {
    const seen = await measure(rollout, analysis);
    const held = registry.view().rollouts.get(rollout.service);
    const same = held?.value.number === rollout.number && held.value.weightSince === rollout.weightSince;
    // The stage went on meanwhile: what was seen says nothing of the new one.
    if (held === undefined || !same || closing.signal.aborted) return;
    const measurements = [...held.value.measurements, ...seen].slice(-KEPT);
    await registry.writeRollouts([
      { service: rollout.service, revision: held.revision, patch: { measurements, looks: rollout.looks + 1 } },
    ]);
  }

  function dueAt(rollout: Rollout, analysis: Analysis): number {
    const begin = Date.parse(rollout.weightSince ?? rollout.stageSince);
    const last = Date.parse(rollout.measurements.at(-1)?.at ?? '');
    return Math.max(begin, Number.isNaN(last) ? 0 : last) + durationMs(analysis.interval);
  }

  return {
    look() {
      for (const { value: rollout } of registry.view().rollouts.values()) {
        if (!isActive(rollout) || !isStaged(rollout.strategy) || rollout.reason === 'Paused') continue;
        const { analysis } = rollout.strategy;
        if (analysis === undefined || judgementOf(rollout) === undefined || busy.has(rollout.service)) continue;
        if (now() < dueAt(rollout, analysis)) continue;
        busy.add(rollout.service);
        lookAt(rollout, analysis)
          .catch((error: unknown) => {
            log.error({ error, service: rollout.service }, 'a rollout could not be measured; it is tried again');
          })
          .finally(() => busy.delete(rollout.service));
      }
    },
    close() {
      closing.abort();
    },
  };
}
