/** What every command gets. */
import type { Command } from 'commander';
import { createClient, type ApiClient } from '../api/client.ts';
import { SwitchboardError } from '../model/errors.ts';
import { Duration, durationMs } from '../model/units.ts';
import { target, type GlobalFlags, type Target } from './settings.ts';

export interface Cli {
  readonly program: Command;
  /** The client of the control plane that flags, environment or context name. */
  client(): ApiClient;
  /** For what is about this machine: the same without the current context. */
  local(): ApiClient;
  target(): Target;
  flags(): GlobalFlags;
}

export function createCli(program: Command): Cli {
  const flags = (): GlobalFlags => program.opts<GlobalFlags>();
  return {
    program,
    flags,
    client: () => createClient(target(flags())),
    local: () => createClient(target(flags(), { current: false })),
    target: () => target(flags()),
  };
}

/** Milliseconds. Error: `invalid`, naming the flag. */
export function durationFlag(flag: string, text: string): number {
  const { success, error } = Duration.safeParse(text);
  if (!success)
    throw new SwitchboardError('invalid', `${flag} ${error.issues[0]?.message ?? 'is no duration'}, not ${text}`);
  return durationMs(text);
}

/** Ends with the program's interrupt. */
export function untilInterrupted(): AbortSignal {
  const stop = new AbortController();
  process.once('SIGINT', () => {
    stop.abort();
  });
  process.once('SIGTERM', () => {
    stop.abort();
  });
  return stop.signal;
}
