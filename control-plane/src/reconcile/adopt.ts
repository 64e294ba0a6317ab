/**
 * After a restart of the control plane: what the registry says should run is compared with what does run. A process that
 * runs is kept, whatever happened meanwhile; one that has gone is treated as having ended just now. Nothing is started here.
 */
import type { Instance } from '../model/instance.ts';
import type { Log } from '../log.ts';
import type { InstanceWrite, Registry } from '../registry/registry.ts';
import type { Running, Runtime } from '../runtime/runtime.ts';

export interface AdoptOptions {
  readonly registry: Registry;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  readonly log: Log;
  /** The write for an instance whose process has gone. */
  readonly exitWrite: (instance: Instance) => InstanceWrite;
}

export async function adopt({ registry, runtimes, log, exitWrite }: AdoptOptions): Promise<void> {
  const running = new Map<string, Running>();
  for (const runtime of runtimes.values()) for (const one of await runtime.list()) running.set(one.instance, one);
  const writes: InstanceWrite[] = [];
  for (const { value: instance } of registry.view().instances.values()) {
    if (!runtimes.has(instance.runtime)) continue;
    const found = running.get(instance.id);
    running.delete(instance.id);
    const write = found === undefined ? afterLoss(instance, exitWrite) : afterFinding(instance, found);
    if (write !== undefined) writes.push(write);
  }
  for (const one of running.values()) {
    // Its record is gone, as after restoring an old backup. It may hold sessions, so it is for a person to end it.
    log.warn(
      { instance: one.instance, service: one.service, process: one.process.pid },
      'an agent process runs that the registry does not know: it is left alone',
    );
  }
  if (writes.length > 0) await registry.writeInstances(writes);
}

function afterLoss(instance: Instance, exitWrite: (instance: Instance) => InstanceWrite): InstanceWrite | undefined {
  if (instance.process === undefined) return undefined;
  if (instance.drain === undefined) return exitWrite(instance);
  return { op: 'update', id: instance.id, patch: { state: 'stopped', process: undefined, address: undefined } };
}

function afterFinding(instance: Instance, found: Running): InstanceWrite | undefined {
  const same = instance.process?.pid === found.process.pid && instance.process.startTime === found.process.startTime;
  if (same) return undefined;
  // It was started in the moment before the control plane ended, before that could be written down.
  const patch = { process: found.process, address: found.address, startedAt: found.startedAt };
  const state =
    instance.drain === undefined
      ? {
          state: 'starting' as const,
          reason: 'Adopted',
          message: `found running as process ${found.process.pid}`,
          since: found.startedAt,
        }
      : {};
  return { op: 'update', id: instance.id, patch: { ...patch, ...state } };
}
