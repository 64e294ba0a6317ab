/** Before a drained instance is told to end: its stop hook, for what it has to put in order. */
import type { Hooks } from '../model/hooks.ts';
import type { Instance } from '../model/instance.ts';
import { durationMs } from '../model/units.ts';
import type { Registry } from '../registry/registry.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { callHook, hooksOf, type HookAnswer } from './hooks.ts';

export interface StopHookParts {
  readonly registry: Registry;
  readonly runtimes: ReadonlyMap<string, Runtime>;
}

/** Resolves when the hook has ended or its time is over; how it ended does not keep the instance from being stopped. */
export async function callStopHook(parts: StopHookParts, instance: Instance): Promise<void> {
  const { registry } = parts;
  const hooks = hooksOf(registry.view(), instance);
  // Only one that was ready and drained: any other has nothing to put in order.
  if (hooks?.stop === undefined || instance.address === undefined || instance.state !== 'stopping') return;
  const answer = await ask(parts, instance, hooks.stop, durationMs(hooks.timeout));
  if (answer.ok) return;
  const message = `its stop hook ${answer.message}: it is stopped all the same`;
  const { id } = instance;
  await registry.writeInstances([{ op: 'update', id, patch: { message }, event: `instance ${id}: ${message}` }]);
}

async function ask(
  { registry, runtimes }: StopHookParts,
  instance: Instance,
  hook: NonNullable<Hooks['stop']>,
  timeoutMs: number,
): Promise<HookAnswer> {
  const { id, service, version } = instance;
  const reason = instance.drain?.reason ?? instance.reason;
  if (typeof hook === 'string') return callHook(hook, instance, { instance: id, service, reason }, timeoutMs);
  const runtime = runtimes.get(instance.runtime);
  const launch = registry
    .view()
    .versions.get(service)
    ?.find((one) => one.number === version)?.launch;
  if (runtime?.run === undefined)
    return { ok: false, message: `was not run: runtime ${instance.runtime} runs no commands` };
  const env = { SWITCHBOARD_STOP_REASON: reason };
  return runtime.run({ instance: id, service, version, launch, env }, hook.command, { timeoutMs });
}
