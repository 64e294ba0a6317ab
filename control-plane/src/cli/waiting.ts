/** `--wait`, `--ready` and `--timeout` of writes: until every Envoy knows what was written, and until it runs. */
import type { Command } from 'commander';
import type { ApiClient } from '../api/client.ts';
import type { WriteFlags } from '../api/queries.ts';
import type { LiveState, RolloutView, WriteAnswer } from '../api/types.ts';
import { SwitchboardError, isError } from '../model/errors.ts';
import { durationFlag, type Cli } from './command.ts';
import { EXIT, Exit, tellError } from './exit.ts';
import { tellWrite } from './impact.ts';
import { keepWatching } from './keep-watching.ts';
import { note } from './output.ts';
import { standingOf, type Standing } from './standing.ts';

export interface WaitFlags {
  wait?: boolean;
  ready?: boolean;
  timeout?: string;
}

const READY_TIMEOUT = '5m';
/** More rollouts than this are asked for as a list. */
const BY_NAME = 20;

/** `ready` false: of a write after which nothing has to start. */
export function waitOptions(command: Command, { ready = true } = {}): Command {
  command.option('--wait', 'until every connected Envoy knows it');
  if (ready)
    command.option(
      '--ready',
      'until it runs: every instance wanted is ready and no rollout goes on (exit code 7: it failed)',
    );
  return command.option(
    '--timeout <duration>',
    ready
      ? `wait at most this long (default: 30s, with --ready ${READY_TIMEOUT})`
      : 'wait at most this long (default: 30s)',
  );
}

/** For the write itself. Error: `invalid`. */
export function writeFlags({ wait, ready, timeout, dryRun }: WaitFlags & { dryRun?: boolean }): WriteFlags {
  const asked: WriteFlags = dryRun === true ? { dryRun } : {};
  if (wait !== true && ready !== true) {
    if (timeout !== undefined)
      throw new SwitchboardError('invalid', '--timeout says how long to wait: it needs --wait or --ready');
    return asked;
  }
  if (timeout !== undefined) durationFlag('--timeout', timeout);
  return { ...asked, wait: true, ...(timeout === undefined ? {} : { timeout }) };
}

async function rolloutsOf(client: ApiClient, names: readonly string[]): Promise<Map<string, RolloutView>> {
  if (names.length > BY_NAME)
    return new Map((await client.rollouts()).items.map((rollout) => [rollout.service, rollout]));
  const found = await Promise.all(
    names.map(async (name) =>
      client.rollout(name).catch((error: unknown) => {
        if (isError(error, 'not_found')) return undefined;
        throw error;
      }),
    ),
  );
  return new Map(found.flatMap((rollout) => (rollout === undefined ? [] : [[rollout.service, rollout]])));
}

/** How the services stand in a state of everything. */
async function standings(
  client: ApiClient,
  { services, instances, gateways }: LiveState,
  names: readonly string[],
  abortFails: boolean,
): Promise<Map<string, Standing>> {
  const rollouts = await rolloutsOf(client, names);
  const byService = Map.groupBy(instances, (instance) => instance.service);
  return new Map(
    names.map((name) => {
      const service = services.find((one) => one.name === name);
      if (service === undefined) return [name, { is: 'failed', text: 'it was deleted meanwhile' }];
      const own = byService.get(name) ?? [];
      return [name, standingOf({ service, instances: own, gateways, rollout: rollouts.get(name) }, abortFails)];
    }),
  );
}

export interface Awaited {
  readonly services: readonly string[];
  /** What is known from before this revision does not count. */
  readonly revision: number;
  readonly timeout?: string | undefined;
  readonly abortFails: boolean;
}

/** Each change of how they stand is told. Errors: `timeout`; Exit with 7 when one has failed, which is told. */
export async function untilReady(
  cli: Cli,
  { services, revision, timeout = READY_TIMEOUT, abortFails }: Awaited,
): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(durationFlag('--timeout', timeout))]);
  const waiting = new Map<string, string>(services.map((name) => [name, 'nothing is known of it yet']));
  let failure: SwitchboardError | undefined;

  function take(name: string, { is, text, remedy }: Standing): void {
    if (is !== 'failed' && waiting.get(name) !== text) note(`service/${name}: ${text}`);
    if (is === 'waiting') waiting.set(name, text);
    else waiting.delete(name);
    if (is === 'failed')
      failure ??= new SwitchboardError(
        'unavailable',
        `service ${name}: ${text}`,
        remedy === undefined ? {} : { remedy },
      );
  }

  if (waiting.size === 0) return;
  await keepWatching(cli, signal, async (client, alive) => {
    for await (const state of client.liveStates(signal)) {
      alive();
      if (state.revision < revision) continue;
      for (const [name, standing] of await standings(client, state, [...waiting.keys()], abortFails))
        take(name, standing);
      if (waiting.size === 0 || failure !== undefined) over.abort();
    }
  });
  if (failure !== undefined) {
    note(tellError(failure).trimEnd());
    throw new Exit(EXIT.unhealthy);
  }
  if (waiting.size > 0)
    throw new SwitchboardError(
      'timeout',
      `after ${timeout} not all of it runs: ${[...waiting].map(([name, text]) => `${name}: ${text}`).join('; ')}`,
      { remedy: 'It goes on by itself. Wait longer with --timeout.' },
    );
}

/** What every Envoy knows need not run yet, which somebody who asked for the one may have meant. */
async function tellWhatIsNotReady(client: ApiClient, services: readonly string[]): Promise<void> {
  for (const name of services.slice(0, BY_NAME)) {
    const { state, message } = (await client.service(name)).status;
    if (state === 'starting' || state === 'degraded' || state === 'failed')
      note(`service/${name}: ${message}; --ready waits until it runs`);
  }
}

/** Tells what a write did, and then waits for it as the flags say. `named`: the service that the command names; `told`: as of `tellWrite`. */
export async function tellAndWait(
  cli: Cli,
  answer: WriteAnswer,
  flags: WaitFlags,
  { abortFails, named, told }: { abortFails: boolean; named?: string; told?: string | undefined },
): Promise<void> {
  tellWrite(answer, told);
  if (answer.dryRun) return;
  const written = answer.changes.filter(({ kind, action }) => kind === 'Service' && action !== 'deleted');
  const services = named === undefined ? written.map(({ name }) => name) : [named];
  if (flags.ready === true)
    await untilReady(cli, { services, revision: answer.revision, timeout: flags.timeout, abortFails });
  else if (flags.wait === true) await tellWhatIsNotReady(cli.client(), services);
}
