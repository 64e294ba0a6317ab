/** What the commands that change something share: the flags, the wait, and how the result is told. */
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { WriteFlags } from '../api/client.ts';
import type { WriteAnswer } from '../api/types.ts';
import { SwitchboardError } from '../model/errors.ts';
import { durationMs } from '../model/units.ts';
import type { Cli } from './cli.ts';
import { renderObject } from './format.ts';
import { impactSentence, resultLines } from './impact.ts';

const POLL_MS = 250;

export interface WaitOptions {
  /** `true`: until every Envoy runs it; `ready`: until the services are as wanted, too. */
  readonly wait?: true | 'acked' | 'ready';
  readonly timeout: string;
}

export type ResultFormat = 'table' | 'json' | 'yaml' | 'name';

export function duration(text: string): string {
  try {
    durationMs(text);
    return text;
  } catch {
    throw new InvalidArgumentError('It must be a duration such as 30s or 5m.');
  }
}

export function withWait(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--wait [what]',
        'until every Envoy runs the change (acked, the default), or until its instances are ready too (ready)',
      ).choices(['acked', 'ready']),
    )
    .option('--timeout <duration>', 'how long to wait', duration, '60s');
}

export function waitFlags({ wait, timeout }: WaitOptions): WriteFlags {
  // The API takes seconds and minutes.
  return wait === undefined ? {} : { wait: true, timeout: `${Math.min(durationMs(timeout), 999_999)}ms` };
}

/** Nothing of the service is on its way: no instance starts, and none that is to be replaced still serves. */
async function isSettled(cli: Cli, name: string): Promise<string | undefined> {
  const service = await cli.client().service(name);
  const { items } = await cli.client().instances({ service: name });
  const moving = items.find((one) => one.replace !== undefined && one.drain === undefined);
  if (service.status.state === 'stopped') return items.length === 0 ? undefined : service.status.message;
  if (service.status.state !== 'ready') return service.status.message;
  return moving === undefined ? undefined : `${moving.id} is to be replaced`;
}

/** With `--wait=ready`: polls until the services of the write are as wanted. Error: `timeout` with the last reason. */
export async function waitReady(cli: Cli, services: readonly string[], options: WaitOptions): Promise<void> {
  if (options.wait !== 'ready') return;
  const deadline = cli.now() + durationMs(options.timeout);
  for (const name of services) {
    for (;;) {
      const reason = await isSettled(cli, name);
      if (reason === undefined) break;
      if (cli.now() > deadline)
        throw new SwitchboardError('timeout', `service ${name} is not ready after ${options.timeout}: ${reason}`, {
          remedy: `See \`switchboard describe service ${name}\` and \`switchboard logs ${name}\`.`,
        });
      await sleep(POLL_MS);
    }
  }
}

/** Result on stdout, warnings on stderr. */
export function showResult(cli: Cli, result: WriteAnswer, format: ResultFormat = 'table'): void {
  const { terminal } = cli;
  for (const warning of result.warnings) terminal.note(`${terminal.noteStyle('yellow', 'warning:')} ${warning}`);
  if (format === 'json' || format === 'yaml') terminal.out(renderObject(result, format));
  else if (format === 'name')
    for (const change of result.changes) terminal.out(`${change.kind.toLowerCase()}/${change.name}`);
  else {
    for (const line of resultLines(result)) terminal.out(line);
    if (result.acks !== undefined)
      terminal.note(`revision ${result.revision} runs on ${result.acks.acked.join(', ')}`);
  }
}

/**
 * States what will become of open sessions before it is done; where sessions end at once and a person sits there, asks.
 * False: the person said no.
 */
export async function stateImpact(
  cli: Cli,
  what: string,
  preview: WriteAnswer,
  options: { yes?: boolean; ask?: boolean } = {},
): Promise<boolean> {
  const { terminal } = cli;
  terminal.note(`${what}: ${impactSentence(preview.impact, true)}`);
  const asks = options.ask === true || preview.impact.endsNow > 0;
  if (!asks || options.yes === true || !terminal.interactive) return true;
  return terminal.confirm('Go on?');
}
