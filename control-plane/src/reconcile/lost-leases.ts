/** Instances that registered themselves and have gone silent are drained, then removed. */
import type { LeavingReason } from '../model/reasons.ts';
import { durationMs } from '../model/units.ts';
import type { InstanceWrite, RegistryView } from '../registry/registry.ts';

export function drainLost(view: RegistryView, ids: readonly string[], now: number): InstanceWrite[] {
  return ids.map((id): InstanceWrite => {
    const service = view.services.get(view.instances.get(id)?.value.service ?? '')?.value;
    const deadline = new Date(now + durationMs(service?.spec.drain.deadline ?? '1h')).toISOString();
    const drain = {
      reason: 'LeaseLost' satisfies LeavingReason,
      since: new Date(now).toISOString(),
      deadline,
      stopGrace: '30s',
    };
    return {
      op: 'update',
      id,
      patch: { drain },
      event: `instance ${id} sent no heartbeat in time: it is drained and removed`,
    };
  });
}
