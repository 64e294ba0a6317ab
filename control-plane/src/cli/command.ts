/** What every command gets. */
import { InvalidArgumentError, type Command } from 'commander';
import { createClient, type ApiClient } from '../api/client.ts';
import { SwitchboardError, isError } from '../model/errors.ts';
import { offer } from '../model/similar.ts';
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

/** Of what stands where one of these kinds should. */
export function unknownKind(kind: string, known: readonly string[]): SwitchboardError {
  const message = `${kind} is no kind that this takes: use one of ${known.join(', ')}`;
  return new SwitchboardError('invalid', message, offer(kind, known));
}

/** For an option that may stand several times; absent when it stands nowhere. */
export const repeated = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** Milliseconds. Error: `invalid`, naming the flag. */
export function durationFlag(flag: string, text: string): number {
  const { success, error } = Duration.safeParse(text);
  if (!success)
    throw new SwitchboardError('invalid', `${flag} ${error.issues[0]?.message ?? 'is no duration'}, not ${text}`);
  return durationMs(text);
}

/** What a name means that may be a service's or an instance's. Error: `not_found`. */
export async function instancesNamed(
  client: ApiClient,
  name: string,
): Promise<{ readonly ofService: boolean; readonly ids: readonly string[] }> {
  let noService: SwitchboardError;
  try {
    return { ofService: true, ids: (await client.service(name)).instances };
  } catch (error) {
    if (!isError(error, 'not_found')) throw error;
    noService = error;
  }
  try {
    return { ofService: false, ids: [(await client.instance(name)).id] };
  } catch (error) {
    if (!isError(error, 'not_found')) throw error;
    const remedy = noService.remedy ?? error.remedy;
    throw new SwitchboardError('not_found', `there is no service or instance ${name}`, {
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}

/** A parser for an option or argument. The error is commander's, which names the option. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      `It must be a whole number ${most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`}.`,
    );
  };
}

/** Ends with the program's interrupt, and with the program that it was started through. */
export function untilInterrupted(): AbortSignal {
  const stop = new AbortController();
  for (const end of ['SIGINT', 'SIGTERM', 'disconnect'] as const)
    process.once(end, () => {
      stop.abort();
    });
  // Listening for its end would keep this one from ending first.
  process.channel?.unref();
  return stop.signal;
}
