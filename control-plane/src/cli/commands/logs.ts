import type { ApiClient } from '../../api/client.ts';
import type { LogLine } from '../../api/types.ts';
import { isError, messageOf } from '../../model/errors.ts';
import { instancesNamed, untilInterrupted, wholeNumber, type Cli } from '../command.ts';
import { keepWatching } from '../keep-watching.ts';
import { logPrinter } from '../log-printer.ts';
import { note } from '../output.ts';

/** Of an instance that came after the command: all that it has said. */
const FROM_THE_START = 10_000;

type Show = (instance: string, line: LogLine) => void;

/** Ends with the instance or the signal. */
async function followInstance(
  client: ApiClient,
  id: string,
  tail: number,
  signal: AbortSignal,
  show: Show,
): Promise<void> {
  for await (const line of client.followLogs(id, tail, signal)) show(id, line);
}

/** The others can be read. */
function tellUnread(id: string, error: unknown): void {
  const remedy = isError(error) ? error.remedy : undefined;
  const message = messageOf(error);
  note(`${message.startsWith(id) ? '' : `${id}: `}${message}${remedy === undefined ? '' : `\n  remedy: ${remedy}`}`);
}

/** The last lines of every instance. Those that can't be read are told; with none that can it is an error. */
async function showLast(client: ApiClient, ids: readonly string[], tail: number, show: Show): Promise<void> {
  const unread: { id: string; error: unknown }[] = [];
  for (const id of ids) {
    try {
      for (const line of (await client.logs(id, tail)).lines) show(id, line);
    } catch (error) {
      unread.push({ id, error });
    }
  }
  const last = unread.length === ids.length ? unread.pop() : undefined;
  for (const { id, error } of unread) tellUnread(id, error);
  if (last !== undefined) throw last.error;
}

/** Every instance that the service has and gets. */
async function followService(
  client: ApiClient,
  service: string,
  tailOf: (instance: string) => number,
  signal: AbortSignal,
  show: Show,
  alive: () => void,
): Promise<void> {
  const following = new Map<string, Promise<void>>();
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  try {
    for await (const { data } of client.live(either)) {
      alive();
      const present = new Set(data.instances.filter((one) => one.service === service).map((one) => one.id));
      for (const id of present) {
        if (following.has(id)) continue;
        following.set(
          id,
          followInstance(client, id, tailOf(id), either, show).catch((error: unknown) => {
            // It has gone, or the whole control plane, which the outer stream tells too.
            if (either.aborted || isError(error, 'not_found') || isError(error, 'unavailable')) return;
            tellUnread(id, error);
          }),
        );
      }
      for (const id of following.keys()) if (!present.has(id)) following.delete(id);
    }
  } finally {
    stop.abort();
    await Promise.all(following.values());
  }
}

export function logsCommand(cli: Cli): void {
  cli.program
    .command('logs <name>')
    .summary("show an instance's log, or those of all instances of a service")
    .description(
      'Of a service, -f takes in instances that start later. When the control plane restarts it goes on by itself with what is written then.',
    )
    .option('-f, --follow', 'go on with what comes')
    .option('--tail <lines>', 'the last lines of each stream', wholeNumber(0), 100)
    .option('-t, --timestamps', 'the time at which each line came; - where nobody saw it come')
    .addHelpText('after', '\nExamples:\n  switchboard logs weather -f\n  switchboard logs weather-k3f9x --tail 20')
    .action(async (name: string, options: { follow?: boolean; tail: number; timestamps?: boolean }) => {
      const first = cli.client();
      const { ofService, ids: known } = await instancesNamed(first, name);
      if (known.length === 0) note(`${name} has no instance now, and so no log`);
      const seen = [...known];
      const printer = logPrinter(process.stdout, {
        timestamps: options.timestamps === true,
        colours: process.stdout.isTTY && process.stdout.hasColors(),
      });
      const show: Show = (id, line) => {
        if (!seen.includes(id)) seen.push(id);
        printer.show(id, line, ofService && (options.follow === true || seen.length > 1));
      };
      if (options.follow !== true) {
        await showLast(first, known, options.tail, show);
        printer.end();
        return;
      }
      const signal = untilInterrupted();
      const told = new Set<string>();
      const tailOf = (id: string): number => {
        // What was shown before the control plane went away is not shown again.
        const tail = told.has(id) ? 0 : known.includes(id) ? options.tail : FROM_THE_START;
        told.add(id);
        return tail;
      };
      await keepWatching(cli, signal, async (client, alive) => {
        if (ofService) {
          await followService(client, name, tailOf, signal, show, alive);
          return;
        }
        await client.instance(name);
        alive();
        await followInstance(client, name, tailOf(name), signal, show);
      });
      printer.end();
    });
}
