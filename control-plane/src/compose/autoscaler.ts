/** The autoscaler, joined to what it looks at; and policies tried on what was recorded. */
import type { ReplayRange } from '../api/context.ts';
import type { History } from '../history/create.ts';
import type { Autoscale } from '../model/autoscale.ts';
import type { Log } from '../log.ts';
import { AUTOSCALER_TICK_MS, createAutoscaler, type Autoscaler } from '../reconcile/autoscaler.ts';
import { createScaleWebhooks } from '../reconcile/scale-webhook.ts';
import type { Registry } from '../registry/registry.ts';
import { replay, type RecordedStep, type Replay } from '../scaling/replay.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import type { Signals } from './signals.ts';

export interface AutoscalerParts {
  readonly registry: Registry;
  readonly signals: Signals;
  readonly sessions: SessionTable;
  /** Clients that wait for an instance of the service. */
  readonly waiting: (service: string) => number;
  readonly now: () => number;
  readonly log: Log;
}

export function startAutoscaler(parts: AutoscalerParts): Autoscaler {
  const { registry, signals, sessions, waiting, now, log } = parts;
  const webhooks = createScaleWebhooks({ now, log });
  return createAutoscaler({
    registry,
    signals: (instance) => signals.of(instance),
    settled: () => sessions.counts().settled,
    waiting,
    asked: (service, policy, sample) => webhooks.ask(service, policy, sample),
    now,
    log,
  });
}

/** As finely as the history still is. Error: `invalid` with the field. */
export function replayHistory(history: History, service: string, policy: Autoscale, range: ReplayRange): Replay {
  const answer = history.query({
    metrics: ['sessions_open', 'instances_ready', 'cpu', 'memory'],
    by: [],
    where: { service: [service] },
    from: range.from,
    to: range.to,
    stats: ['avg'],
    limit: 1,
  });
  const valuesOf = (metric: string): readonly (number | null)[] | undefined =>
    answer.series.find((one) => one.metric === metric)?.values;
  const [sessions, ready, cpu, memory] = ['sessions_open', 'instances_ready', 'cpu', 'memory'].map(valuesOf);
  const begin = Date.parse(answer.from);
  const stepMs = answer.stepSeconds * 1_000;
  const length = Math.round((Date.parse(answer.to) - begin) / stepMs);
  const steps = Array.from({ length }, (_, index): RecordedStep => ({
    at: begin + index * stepMs,
    sessions: sessions?.[index] ?? null,
    ready: ready?.[index] ?? null,
    cpuCores: cpu?.[index] ?? null,
    memoryBytes: memory?.[index] ?? null,
  }));
  return replay(policy, steps, { stepMs, tickMs: AUTOSCALER_TICK_MS, startMs: range.startMs });
}
