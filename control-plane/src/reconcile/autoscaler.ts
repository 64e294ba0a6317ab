/**
 * Looks at every autoscaled service every two seconds, asks its scaler, and writes what it wants into the registry. Each decision is kept with
 * its inputs for a while; those that change something are events too. Nothing here is needed to go on after a restart: what is wanted stands in
 * the registry, and a scaler that is made anew never goes down on history that it does not have.
 */
import type { Autoscale, ScaleDecision, ScaleSample } from '../model/autoscale.ts';
import type { LoadSignals } from '../model/load.ts';
import type { Service } from '../model/service.ts';
import type { Log } from '../log.ts';
import { canonical } from '../registry/diff.ts';
import type { Registry, RegistryView } from '../registry/registry.ts';
import { wantedOf } from '../registry/wanted.ts';
import { createScaler, type Scaler } from '../scaling/scaler.ts';

export const AUTOSCALER_TICK_MS = 2_000;

export interface AutoscalerOptions {
  readonly registry: Registry;
  readonly signals: (instance: string) => LoadSignals | undefined;
  /** Session counts are complete: a count of zero proves that nobody is there. */
  readonly settled: () => boolean;
  /** Clients of the service that are held until an instance is there. */
  readonly waiting: (service: string) => number;
  /** What the policy's webhook answered last; undefined: it has none, or did not answer. */
  readonly asked: (service: string, policy: Autoscale, sample: ScaleSample) => number | undefined;
  readonly now: () => number;
  readonly log: Log;
}

export interface Autoscaler {
  /** Looks now, apart from the regular looks: somebody waits. */
  look(): void;
  /** Newest last; undefined: the service is not autoscaled. */
  decisions(service: string): readonly ScaleDecision[] | undefined;
  close(): void;
}

const KEPT = 300;
/** Between two looks: something kept this process from it. */
const STANDSTILL_MS = 5 * AUTOSCALER_TICK_MS;

interface Scaled {
  readonly policy: string;
  readonly scaler: Scaler;
  decisions: ScaleDecision[];
}

export function createAutoscaler(options: AutoscalerOptions): Autoscaler {
  const { registry, now, log } = options;
  const scaled = new Map<string, Scaled>();
  let writing = false;
  let lookedAt = now();

  function sampleOf(view: RegistryView, service: Service): ScaleSample {
    const live = [...view.instances.values()]
      .map((held) => held.value)
      .filter((instance) => instance.service === service.name);
    const signals = live.map((instance) => options.signals(instance.id)).filter((one) => one !== undefined);
    const sum = (of: (one: LoadSignals) => number | undefined): number | undefined => {
      const known = signals.map(of).filter((value) => value !== undefined);
      return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
    };
    const [cpuCores, memoryBytes] = [sum((one) => one.cpuCores), sum((one) => one.memoryBytes)];
    const load = sum((one) => one.reported?.load);
    const base: ScaleSample = {
      at: now(),
      ready: live.filter((instance) => instance.state === 'ready' && instance.drain === undefined).length,
      replicas: wantedOf(view, service),
      waiting: options.waiting(service.name),
      ...(options.settled() ? { sessions: sum((one) => one.sessions) ?? 0 } : {}),
      ...(cpuCores === undefined ? {} : { cpuCores }),
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      ...(load === undefined ? {} : { load }),
    };
    const policy = service.spec.autoscale;
    const asked = policy?.webhook === undefined ? undefined : options.asked(service.name, policy, base);
    return asked === undefined ? base : { ...base, asked };
  }

  function scalerOf(service: Service, policy: Autoscale, stoodStill: boolean): Scaled {
    const text = canonical(policy);
    const known = scaled.get(service.name);
    if (known?.policy === text && !stoodStill) return known;
    const fresh = { policy: text, scaler: createScaler(policy), decisions: known?.decisions ?? [] };
    scaled.set(service.name, fresh);
    return fresh;
  }

  async function look(): Promise<void> {
    const view = registry.view();
    // What was before tells nothing of what has been meanwhile: scalers are made anew, so that none goes down on it.
    const stoodStill = now() - lookedAt > STANDSTILL_MS;
    lookedAt = now();
    for (const { value: service } of view.services.values()) {
      const policy = service.spec.autoscale;
      if (policy === undefined || !service.spec.enabled || service.spec.runtime === 'external') {
        scaled.delete(service.name);
        continue;
      }
      const one = scalerOf(service, policy, stoodStill);
      const decision = one.scaler.decide(sampleOf(view, service));
      one.decisions = [...one.decisions, decision].slice(-KEPT);
      if (decision.to !== decision.from)
        await registry.writeScale(service.name, decision.to, decision.reason, decision.message);
    }
    for (const name of scaled.keys()) if (!view.services.has(name)) scaled.delete(name);
  }

  function begin(): void {
    // One at a time: the next look sees what this one has written.
    if (writing) return;
    writing = true;
    look()
      .catch((error: unknown) => {
        log.error({ error }, 'the autoscaler could not write what it decided; it looks again');
      })
      .finally(() => {
        writing = false;
      });
  }

  const timer = setInterval(begin, AUTOSCALER_TICK_MS);
  timer.unref();
  return {
    look: begin,
    decisions: (service) => scaled.get(service)?.decisions,
    close() {
      clearInterval(timer);
    },
  };
}
