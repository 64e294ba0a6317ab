/** The autoscaler, joined to what it looks at. */
import type { Log } from '../log.ts';
import { createAutoscaler, type Autoscaler } from '../reconcile/autoscaler.ts';
import { createScaleWebhooks } from '../reconcile/scale-webhook.ts';
import type { Registry } from '../registry/registry.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import type { Signals } from './signals.ts';

export interface AutoscalerParts {
  readonly registry: Registry;
  readonly signals: Signals;
  readonly sessions: SessionTable;
  readonly now: () => number;
  readonly log: Log;
}

export function startAutoscaler({ registry, signals, sessions, now, log }: AutoscalerParts): Autoscaler {
  const webhooks = createScaleWebhooks({ now, log });
  return createAutoscaler({
    registry,
    signals: (instance) => signals.of(instance),
    settled: () => sessions.counts().settled,
    waiting: () => 0,
    asked: (service, policy, sample) => webhooks.ask(service, policy, sample),
    now,
    log,
  });
}
