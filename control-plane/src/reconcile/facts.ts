/** What an instance's next step is decided on, gathered at that moment. */
import type { Instance } from '../model/instance.ts';
import type { RegistryView } from '../registry/registry.ts';
import type { WaitsFor } from './dependencies.ts';
import { DEFAULT_RESTART } from './endings.ts';
import { probeOf } from './health-targets.ts';
import type { HealthMonitor } from './health.ts';
import type { Facts } from './lifecycle.ts';
import { lackOf } from './lacking.ts';
import type { LoopOptions } from './loop.ts';

type Sources = Pick<LoopOptions, 'now' | 'random' | 'awake' | 'runtimes' | 'sessionsOn' | 'isAcked'>;

export function createFacts(sources: Sources, monitor: HealthMonitor) {
  const { now, random, awake, runtimes, sessionsOn, isAcked } = sources;
  /** `revision`: of the instance's record. */
  return (view: RegistryView, instance: Instance, revision: number, waitsFor: WaitsFor): Facts => {
    const { id } = instance;
    const spec = view.services.get(instance.service)?.value.spec;
    return {
      now: now(),
      random: random(),
      wokeAt: awake.wokeAt(),
      healthy: ['healthy', 'degraded'].includes(monitor.verdict(id)),
      unhealthyFor: monitor.unhealthyFor(id),
      health: spec?.health,
      healthReason: () => monitor.report(id)?.reason ?? 'not probed yet',
      elsewhere: () => monitor.elsewhere(id),
      sessions: () => sessionsOn(instance),
      drainAcked: () => isAcked(revision),
      missing: () => lackOf(view, instance, runtimes),
      waitsFor: () => waitsFor(instance.service),
      probe: probeOf(view, instance),
      restart: spec?.restart ?? DEFAULT_RESTART,
    };
  };
}
