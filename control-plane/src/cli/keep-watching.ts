/** Watching over restarts of the control plane: a watch that is lost is taken up again, and that is said. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '../api/client.ts';
import { isError } from '../model/errors.ts';
import type { Cli } from './command.ts';
import { note } from './output.ts';

const RETRY_MS = 500;

/**
 * Runs `watch` until the signal. Where it ends before, since the control plane has gone, it is run anew. `alive` is for it to call when
 * something has come: only what has worked once is tried again, so that a wrong name or token ends at once.
 */
export async function keepWatching(
  cli: Cli,
  signal: AbortSignal,
  watch: (client: ApiClient, alive: () => void) => Promise<void>,
): Promise<void> {
  const state = { worked: false, lost: false };
  const alive = (): void => {
    if (state.lost) note('the control plane is back');
    state.worked = true;
    state.lost = false;
  };
  const isOver = (): boolean => signal.aborted;
  while (!isOver()) {
    try {
      // Anew each time: it may come back at another port.
      await watch(cli.client(), alive);
    } catch (error) {
      if (isOver()) return;
      if (!state.worked || !isError(error, 'unavailable')) throw error;
    }
    if (isOver()) return;
    if (!state.lost) note('the control plane has gone: waiting for it (Ctrl-C ends this)');
    state.lost = true;
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}
