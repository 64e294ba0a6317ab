/** The analyst, joined to what it measures: history, the registry's record of failures, the agents' logs. */
import { DEFAULT_CHECKS } from '../analysis/drivers.ts';
import type { LogCount, VersionFigures } from '../analysis/metric.ts';
import type { Drivers } from '../drivers.ts';
import type { History } from '../history/create.ts';
import { FINEST } from '../history/levels.ts';
import type { Log } from '../log.ts';
import { createAnalyst } from '../reconcile/analyst.ts';
import type { Instance } from '../model/instance.ts';
import type { Registry } from '../registry/registry.ts';
import { REFUSAL_CAUSES, type RefusalCause } from '../telemetry/refusal.ts';
import type { Runtime } from '../runtime/runtime.ts';

export interface AnalystParts {
  readonly registry: Registry;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  readonly drivers: Drivers;
  readonly history: History;
  readonly now: () => number;
  readonly log: Log;
}

const TURNED_AWAY: RefusalCause = 'unauthorized';
/** Of the client, or to be judged apart. */
const NO_FAULT: ReadonlySet<string> = new Set<RefusalCause>(['client_gone', TURNED_AWAY]);
const LOOK_MS = 1_000;
/** Of each instance: enough for a share, little enough to read. */
const LOG_LINES = 2_000;
/** Level words of the usual formats, and pino's numbers. */
const ERROR_LINE = /\b(ERROR|CRITICAL|FATAL|Traceback)\b|"level":\s*"?(error|fatal|50|60)\b/;

/** Returns what ends it. */
export function startAnalyst(parts: AnalystParts): () => void {
  const { registry, runtimes, drivers, history, now, log } = parts;

  function instancesOf(service: string, version: number): Instance[] {
    return [...registry.view().instances.values()]
      .map((held) => held.value)
      .filter((instance) => instance.service === service && instance.version === version);
  }

  function figuresOf(service: string, version: number, since: number): VersionFigures {
    const where = { service: [service], version: [String(version)] };
    // Whole slots alone: what came before is of another share of sessions.
    const begin = Math.ceil(since / FINEST.stepMs) * FINEST.stepMs;
    const to = Math.max(now(), begin + 1);
    const answer = history.query({
      metrics: ['connects', 'early_ends', 'probe_failures'],
      by: [],
      where,
      from: begin,
      to,
      stats: ['total'],
      limit: 1,
    });
    const failed = history.query({
      metrics: ['connect_failures'],
      by: ['cause'],
      where,
      from: begin,
      to,
      stats: ['total'],
      limit: REFUSAL_CAUSES.length,
    });
    const { distributions } = history.query({
      metrics: ['handshake_latency', 'probe_latency'],
      by: [],
      where,
      from: begin,
      to,
      stats: ['distribution'],
      limit: 1,
    });
    const sum = (values: readonly (number | null)[] = []): number =>
      values.reduce<number>((all, one) => all + (one ?? 0), 0);
    const total = (metric: string): number => sum(answer.series.find((one) => one.metric === metric)?.values);
    const failedOf = (is: (cause: string) => boolean): number =>
      failed.series.filter(({ labels }) => is(labels.cause ?? '')).reduce((all, { values }) => all + sum(values), 0);
    const distribution = (metric: string) => distributions.find((one) => one.metric === metric);
    const opened = total('connects');
    const failures = failedOf((cause) => !NO_FAULT.has(cause));
    const probeFailures = total('probe_failures');
    const from = new Date(since).toISOString();
    return {
      version,
      attempts: opened + failures,
      failures,
      turnedAway: failedOf((cause) => cause === TURNED_AWAY),
      opened,
      brokenEarly: total('early_ends'),
      handshakes: (distribution('handshake_latency')?.buckets ?? []).map(({ le, count }) => ({ upToMs: le, count })),
      probes: (distribution('probe_latency')?.count ?? 0) + probeFailures,
      probeFailures,
      crashes: instancesOf(service, version).reduce(
        (sum, instance) => sum + instance.failures.filter((at) => at >= from).length,
        0,
      ),
    };
  }

  async function logsOf(service: string, version: number, since: number): Promise<LogCount> {
    const from = new Date(since).toISOString();
    let [lines, errors] = [0, 0];
    for (const instance of instancesOf(service, version)) {
      const runtime = runtimes.get(instance.runtime);
      if (runtime === undefined) continue;
      const options = { tail: LOG_LINES, follow: false, signal: AbortSignal.timeout(5_000) };
      for await (const line of runtime.logs(instance.id, options)) {
        if (line.at !== null && line.at < from) continue;
        lines += 1;
        if (ERROR_LINE.test(line.text)) errors += 1;
      }
    }
    return { lines, errors };
  }

  const analyst = createAnalyst({
    registry,
    createMeasure: (check) => drivers.createMeasure(check),
    defaultChecks: DEFAULT_CHECKS,
    figuresOf,
    logsOf,
    now,
    log,
  });
  const timer = setInterval(() => {
    analyst.look();
  }, LOOK_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    analyst.close();
  };
}
