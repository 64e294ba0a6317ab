/** What is written down when a runtime tells of an end or of too much memory. Pure. */
import type { Instance } from '../model/instance.ts';
import type { LeavingReason } from '../model/reasons.ts';
import { Restart } from '../model/service.ts';
import type { InstanceWrite, RegistryView } from '../registry/registry.ts';
import type { Exit } from '../runtime/runtime.ts';
import { afterFailure, describeExit, type Failure } from './failure.ts';

export const DEFAULT_RESTART: Restart = Restart.parse({});

/** Nobody here asked it to end: a failure, unless it was leaving anyway. */
export function afterExit(
  view: RegistryView,
  instance: Instance,
  exit: Exit,
  now: number,
  random: number,
): InstanceWrite {
  const message = describeExit(instance, exit, now);
  if (instance.drain !== undefined) {
    const since = new Date(now).toISOString();
    const gone = { process: undefined, address: undefined };
    return { op: 'update', id: instance.id, patch: { state: 'stopped', ...gone, reason: 'Exited', message, since } };
  }
  const restart = view.services.get(instance.service)?.value.spec.restart ?? DEFAULT_RESTART;
  const failure: Failure = { reason: exit.cause?.reason ?? 'Exited', message, exit };
  const patch = afterFailure(instance, restart, failure, now, random);
  return { op: 'update', id: instance.id, patch, event: `instance ${instance.id} ${message}` };
}

export function overMemory(id: string, bytes: number, limit: number, now: number): InstanceWrite {
  const message = `holds ${Math.round(bytes / 2 ** 20)} MiB, more than its limit of ${Math.round(limit / 2 ** 20)} MiB`;
  const replace = { reason: 'MemoryLimit' satisfies LeavingReason, at: new Date(now).toISOString() };
  const event = `instance ${id} ${message}: it is replaced, then drained`;
  return { op: 'update', id, patch: { replace, message }, event };
}
