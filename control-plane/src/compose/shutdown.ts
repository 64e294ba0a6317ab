/** The end of everything, agents and Envoy too. */
import type { EnvoySupervisor } from '@switchboard/envoy';
import type { Log } from '../log.ts';
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

/** Waits for open sessions for at most `drainMs`. Never rejects: what could not be ended is logged. */
export async function endEverything(parts: ShutdownParts, drainMs: number): Promise<void> {
  const { data, loop, gateway, runtimes, log, closeAll } = parts;
  log.info({ drainMs }, 'everything ends');
  try {
    // Deciding stops first: nothing must be started again that is being ended.
    await loop.close();
    await gateway.stop({ drainMs });
    for (const runtime of runtimes.values())
      await Promise.all(
        (await runtime.list()).map(async (one) => runtime.stop(one.instance, { graceMs: AGENT_GRACE_MS })),
      );
    removeRuntimeFile(data);
    await closeAll();
  } catch (error) {
    log.error({ error }, 'not everything could be ended');
  }
}
