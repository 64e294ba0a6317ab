/** A stream of the API that is opened again when it breaks: the control plane may be restarted while somebody watches. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isError, messageOf } from '../model/errors.ts';
import type { Cli } from './cli.ts';

const RETRY_MS = 1000;

/** Yields for ever, until the signal. A first failure is thrown; a later one is told once on stderr and retried. */
export async function* reopened<T>(
  cli: Cli,
  open: (signal: AbortSignal) => AsyncIterable<T>,
  signal: AbortSignal,
): AsyncIterable<T> {
  let worked = false;
  let told = false;
  while (!signal.aborted) {
    try {
      for await (const item of open(signal)) {
        if (told) cli.terminal.note('connected again');
        worked = true;
        told = false;
        yield item;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!worked || isError(error, 'unauthenticated')) throw error;
      if (!told) cli.terminal.note(`connection lost: ${messageOf(error)}; trying again`);
      told = true;
    }
    if (!signal.aborted) await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}
