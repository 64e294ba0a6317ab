/**
 * After a restart of the control plane: what the registry says should run is compared with what does run. A process that
 * runs is kept, whatever happened meanwhile; one that has gone is treated as having ended just now. Nothing is started here.
 */
import type { Instance } from '../model/instance.ts';
import type { Log } from '../log.ts';
import type { InstanceWrite, Registry } from '../registry/registry.ts';
import { isError } from '../model/errors.ts';
import type { Exit, Running, Runtime } from '../runtime/runtime.ts';

const UNSEEN: Exit = { code: null, signal: null, log: [] };

export interface AdoptOptions {
  /** Those to look at: all at the start, later one that could not be reached then. */
  readonly runtimes: ReadonlyMap<string, Runtime>;
  readonly registry: Registry;
  readonly log: Log;
  /** The write for an instance whose process has gone. */
  readonly exitWrite: (instance: Instance, exit: Exit) => InstanceWrite;
}

/** Gives what keeps a runtime from being looked at, by its name; of its instances nothing is changed. */
export async function adopt({ registry, runtimes, log, exitWrite }: AdoptOptions): Promise<Map<string, string>> {
  const running = new Map<string, Running>();
  const away = new Map<string, string>();
  for (const [name, runtime] of runtimes) {
    try {
      for (const one of await runtime.list()) running.set(one.instance, one);
    } catch (error) {
      if (!isError(error, 'unavailable')) throw error;
      away.set(name, error.message);
    }
  }
  const writes: InstanceWrite[] = [];
  for (const { value: instance } of registry.view().instances.values()) {
    if (!runtimes.has(instance.runtime) || away.has(instance.runtime)) continue;
    const found = running.get(instance.id);
    running.delete(instance.id);
    const write =
      found === undefined
        ? afterLoss(instance, UNSEEN, exitWrite)
        : found.exit === undefined
          ? afterFinding(instance, found)
          : afterLoss(instance, found.exit, exitWrite);
    if (write !== undefined) writes.push(write);
  }
  for (const one of running.values()) {
    if (one.exit !== undefined) continue;
    // Its record is gone, as after restoring an old backup. It may hold sessions, so it is for a person to end it.
    log.warn(
      { instance: one.instance, service: one.service, process: one.process.pid },
      'an agent process runs that the registry does not know: it is left alone',
    );
  }
  if (writes.length > 0) await registry.writeInstances(writes);
  return away;
}

function afterLoss(instance: Instance, exit: Exit, exitWrite: AdoptOptions['exitWrite']): InstanceWrite | undefined {
  if (instance.process === undefined) return undefined;
  if (instance.drain === undefined) return exitWrite(instance, exit);
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
          reason: 'Adopted' as const,
          message: `found running as process ${found.process.pid}`,
          since: found.startedAt,
        }
      : {};
  return { op: 'update', id: instance.id, patch: { ...patch, ...state } };
}
