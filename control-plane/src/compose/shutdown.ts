/** The end of everything, agents and Envoy too. */
import type { EnvoySupervisor } from '@switchboard/envoy';
import type { Log } from '../log.ts';
import { isError } from '../model/errors.ts';
import type { Loop } from '../reconcile/loop.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { removeRuntimeFile } from './runtime-file.ts';

const AGENT_GRACE_MS = 5_000;

export interface ShutdownParts {
  readonly data: string;
  readonly loop: Loop;
  readonly gateway: EnvoySupervisor;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  readonly log: Log;
  readonly closeAll: () => Promise<void>;
}

/** One that can't be asked, such as an engine that is not there, keeps nothing else from its end. */
async function endAll(name: string, runtime: Runtime, log: Log): Promise<void> {
  try {
    const running = await runtime.list();
    await Promise.all(running.map(async (one) => runtime.stop(one.instance, { graceMs: AGENT_GRACE_MS })));
  } catch (error) {
    if (isError(error, 'unavailable'))
      log.info({ runtime: name, reason: error.message }, 'a runtime is not there: nothing of it was ended');
    else log.error({ runtime: name, error }, 'not everything could be ended');
  }
}

/** Waits for open sessions for at most `drainMs`. Never rejects: what could not be ended is logged. */
export async function endEverything(parts: ShutdownParts, drainMs: number): Promise<void> {
  const { data, loop, gateway, runtimes, log, closeAll } = parts;
  log.info({ drainMs }, 'everything ends');
  try {
    // Deciding stops first: nothing must be started again that is being ended.
    await loop.close();
    await gateway.stop({ drainMs });
    for (const [name, runtime] of runtimes) await endAll(name, runtime, log);
    removeRuntimeFile(data);
    await closeAll();
  } catch (error) {
    log.error({ error }, 'not everything could be ended');
  }
}
