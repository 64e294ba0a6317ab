/**
 * What is written on the instances of a runtime that can't be reached, such as a container engine that is stopped. Their state
 * stays: whether they serve is for probes and gateways to see, and nothing has ended only because nobody can look. Pure.
 */
import type { ConditionReason } from '../model/reasons.ts';
import type { Instance } from '../model/instance.ts';
import type { InstanceWrite, RegistryView } from '../registry/registry.ts';

const TYPE = 'RuntimeReachable';

function instancesOf(view: RegistryView, runtime: string): Instance[] {
  return [...view.instances.values()].map((held) => held.value).filter((instance) => instance.runtime === runtime);
}

const others = (instance: Instance): Instance['conditions'] => instance.conditions.filter((one) => one.type !== TYPE);

export function runtimeIsAway(view: RegistryView, runtime: string, message: string, now: number): InstanceWrite[] {
  const condition = {
    type: TYPE,
    status: 'false' as const,
    reason: 'RuntimeUnreachable' satisfies ConditionReason,
    message,
    since: new Date(now).toISOString(),
  };
  return instancesOf(view, runtime)
    .filter(({ conditions }) => !conditions.some((one) => one.type === TYPE && one.message === message))
    .map((instance) => ({
      op: 'update',
      id: instance.id,
      patch: { conditions: [...others(instance), condition] },
      event: `instance ${instance.id} can not be seen: ${message}`,
    }));
}

export function runtimeIsBack(view: RegistryView, runtime: string): InstanceWrite[] {
  return instancesOf(view, runtime)
    .filter(({ conditions }) => conditions.some((one) => one.type === TYPE))
    .map((instance) => ({ op: 'update', id: instance.id, patch: { conditions: others(instance) } }));
}
