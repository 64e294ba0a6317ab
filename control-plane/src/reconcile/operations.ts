/** Steps that take time: starting and stopping, at most one for an instance, each ending in one write of the registry. */
import { setTimeout as sleep } from 'node:timers/promises';
import { addressText } from '../model/address.ts';
import { isError, messageOf } from '../model/errors.ts';
import type { Instance } from '../model/instance.ts';
import type { Version } from '../model/version.ts';
import type { Log } from '../log.ts';
import type { InstancePatch, InstanceWrite, Registry } from '../registry/registry.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Failure } from './failure.ts';

export interface Operations {
  isBusy(instance: string): boolean;
  start(instance: Instance, version: Version | undefined, failed: (failure: Failure) => InstancePatch): void;
  /** Gives up a start that is still waiting; one that has started is kept and stopped by the next step. */
  cancelStart(instance: string): void;
  /** Waits for `before`, ends the process, then makes the write; a deletion also removes the instance's folder. */
  stop(instance: Instance, graceMs: number, then: InstanceWrite, before?: () => Promise<void>): void;
  /** Waits for what is under way, without starting more. */
  close(): Promise<void>;
}

export interface OperationsOptions {
  readonly registry: Registry;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  readonly log: Log;
  readonly now: () => number;
  readonly onDone: (instance: string) => void;
}

const RETRY_MS = 1_000;

/** What is told of one that did not end when it was asked to. */
function killed(then: InstanceWrite, graceMs: number): InstanceWrite {
  const how = `it had not ended ${graceMs / 1000} s after SIGTERM, and was killed`;
  const event = then.event === undefined ? how : `${then.event}; ${how}`;
  if (then.op !== 'update' || then.patch.message === undefined) return { ...then, event };
  return { ...then, event, patch: { ...then.patch, message: `${then.patch.message}; ${how}` } };
}

export function createOperations({ registry, runtimes, log, now, onDone }: OperationsOptions): Operations {
  const running = new Map<string, { done: Promise<void>; abort: AbortController; kind: 'start' | 'stop' }>();

  function begin(id: string, kind: 'start' | 'stop', work: (signal: AbortSignal) => Promise<void>): void {
    const abort = new AbortController();
    const done = work(abort.signal)
      .catch(async (error: unknown) => {
        log.error({ error, instance: id }, `cannot ${kind} an instance; it is tried again`);
        // Not at once: what stands in the way, such as a stopped container engine, may do so for a while.
        await sleep(RETRY_MS, undefined, { ref: false });
      })
      .finally(() => {
        running.delete(id);
        onDone(id);
      });
    running.set(id, { done, abort, kind });
  }

  async function startOne(
    instance: Instance,
    version: Version | undefined,
    failed: (failure: Failure) => InstancePatch,
    signal: AbortSignal,
  ): Promise<void> {
    const { id } = instance;
    const runtime = runtimes.get(instance.runtime);
    try {
      if (runtime === undefined || version?.launch === undefined) {
        throw new Error(
          runtime === undefined
            ? `there is no runtime ${instance.runtime}`
            : `version ${instance.version} has nothing to launch`,
        );
      }
      const run = await runtime.start(
        { instance: id, service: instance.service, version: version.number, launch: version.launch },
        signal,
      );
      const message = `started as process ${run.process.pid} at ${addressText(run.address)}; waiting for its probe`;
      const patch: InstancePatch = {
        state: 'starting',
        reason: 'Started',
        message,
        since: new Date(now()).toISOString(),
        process: run.process,
        address: run.address,
        startedAt: run.startedAt,
      };
      await registry.writeInstances([{ op: 'update', id, patch }]);
      if (!registry.view().instances.has(id)) await runtime.stop(id, { graceMs: 0 });
    } catch (error) {
      if (signal.aborted) return;
      const reason = isError(error, 'invalid')
        ? 'BadLaunch'
        : isError(error, 'unavailable')
          ? 'Unavailable'
          : 'StartFailed';
      const remedy = isError(error) && error.remedy !== undefined ? ` (${error.remedy.replace(/\.$/, '')})` : '';
      const message = `could not be started: ${messageOf(error)}${remedy}`;
      await registry.writeInstances([
        {
          op: 'update',
          id,
          patch: failed({ reason, message }),
          event: `instance ${id} ${message}`,
        },
      ]);
    }
  }

  async function stopOne(
    instance: Instance,
    graceMs: number,
    then: InstanceWrite,
    before: () => Promise<void>,
  ): Promise<void> {
    await before();
    const runtime = runtimes.get(instance.runtime);
    const end = await runtime?.stop(instance.id, { graceMs });
    const late = end?.killed === true && graceMs > 0;
    await registry.writeInstances([late ? killed(then, graceMs) : then]);
    if (then.op === 'delete') await runtime?.remove(instance.id);
  }

  return {
    isBusy: (instance) => running.has(instance),
    start(instance, version, failed) {
      begin(instance.id, 'start', (signal) => startOne(instance, version, failed, signal));
    },
    cancelStart(instance) {
      const operation = running.get(instance);
      if (operation?.kind === 'start') operation.abort.abort();
    },
    stop(instance, graceMs, then, before = async () => undefined) {
      begin(instance.id, 'stop', () => stopOne(instance, graceMs, then, before));
    },
    async close() {
      for (const { abort, kind } of running.values()) if (kind === 'start') abort.abort();
      // A stop may take its whole grace: it is not waited for, and goes on after the restart from the state `stopping`.
      await Promise.all(
        [...running.values()].filter((operation) => operation.kind === 'start').map((operation) => operation.done),
      );
    },
  };
}
