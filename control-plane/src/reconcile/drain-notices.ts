/**
 * Tells agents that their drain has begun, where its policy says so. What came of it is written on the instance, so that after a restart of
 * the control plane nobody is told twice, and nobody is forgotten.
 */
import { notifiesAgent, type DrainState } from '../model/drain.ts';
import type { Instance } from '../model/instance.ts';
import { durationMs } from '../model/units.ts';
import type { Registry } from '../registry/registry.ts';
import { callHook, hooksOf } from './hooks.ts';

export interface DrainNotices {
  /** Begins what is due. */
  look(): void;
}

export interface NoticeOptions {
  readonly registry: Registry;
  readonly sessionsOf: (instance: Instance) => number;
  readonly now: () => number;
  readonly onError: (error: unknown, instance: string) => void;
}

const TRIES = 3;
const PAUSE_MS = 2_000;

export function createDrainNotices({ registry, sessionsOf, now, onError }: NoticeOptions): DrainNotices {
  const busy = new Set<string>();

  function isDue(drain: DrainState): boolean {
    const { notified } = drain;
    if (!notifiesAgent(drain)) return false;
    if (notified === undefined) return true;
    return !notified.ok && notified.attempts < TRIES && now() - Date.parse(notified.at) >= PAUSE_MS * notified.attempts;
  }

  async function tell(instance: Instance, drain: DrainState, url: string, timeoutMs: number): Promise<void> {
    const { reason, deadline, policy, then } = drain;
    const body = {
      instance: instance.id,
      service: instance.service,
      reason,
      policy,
      then,
      deadline,
      sessions: sessionsOf(instance),
    };
    const answer = await callHook(url, instance, body, timeoutMs);
    const present = registry.view().instances.get(instance.id)?.value.drain;
    // Cancelled, or asked for anew, meanwhile.
    if (present?.since !== drain.since || present.deadline !== drain.deadline) return;
    const attempts = (drain.notified?.attempts ?? 0) + 1;
    const notified = { at: new Date(now()).toISOString(), attempts, ...answer };
    await registry.writeInstances([
      {
        op: 'update',
        id: instance.id,
        patch: { drain: { ...present, notified } },
        event: `instance ${instance.id} was told of its drain: ${answer.message}`,
      },
    ]);
  }

  return {
    look() {
      const view = registry.view();
      for (const { value: instance } of view.instances.values()) {
        const { drain, id } = instance;
        if (drain === undefined || instance.state !== 'draining' || busy.has(id) || !isDue(drain)) continue;
        const hooks = hooksOf(view, instance);
        const url = drain.notifyUrl ?? hooks?.drain;
        if (url === undefined) continue;
        busy.add(id);
        void tell(instance, drain, url, durationMs(hooks?.timeout ?? '5s'))
          .catch((error: unknown) => {
            onError(error, id);
          })
          .finally(() => busy.delete(id));
      }
    },
  };
}
