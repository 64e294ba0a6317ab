/** Before a drained instance is told to end: its stop hook, for what it has to put in order. */
import type { Instance } from '../model/instance.ts';
import { durationMs } from '../model/units.ts';
import type { Registry } from '../registry/registry.ts';
import { callHook } from './hooks.ts';

/** Resolves when the hook has answered or its time is over; what it answers does not keep the instance from being stopped. */
export async function callStopHook(registry: Registry, instance: Instance): Promise<void> {
  const hooks = registry.view().services.get(instance.service)?.value.spec.hooks;
  // Only one that was ready and drained: any other has nothing to put in order.
  if (hooks?.stop === undefined || instance.address === undefined || instance.state !== 'stopping') return;
  const { id, service } = instance;
  const body = { instance: id, service, reason: instance.drain?.reason ?? instance.reason };
  const answer = await callHook(hooks.stop, instance, body, durationMs(hooks.timeout));
  if (answer.ok) return;
  const message = `its stop hook ${answer.message}: it is stopped all the same`;
  await registry.writeInstances([{ op: 'update', id, patch: { message }, event: `instance ${id}: ${message}` }]);
}
