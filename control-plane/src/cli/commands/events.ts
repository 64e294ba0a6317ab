/** Who changed what and why: as a list, as it comes, as a file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { EventQuery } from '../../api/queries.ts';
import { isError, messageOf, SwitchboardError } from '../../model/errors.ts';
import type { Event } from '../../model/event.ts';
import { untilInterrupted, type Cli } from '../command.ts';
import { EXIT, Exit } from '../exit.ts';
import { FORMATS, format, note, parseFormat, print, type Column } from '../output.ts';

const RETRY_MS = 1_000;

const columns: readonly Column<Event>[] = [
  { title: 'time', cell: ({ at }) => at },
  { title: 'actor', cell: ({ actor }) => actor },
  { title: 'action', cell: ({ action }) => action },
  { title: 'subject', cell: ({ subject }) => `${subject.kind}/${subject.name}` },
  { title: 'revision', cell: ({ revision }) => String(revision ?? '-'), wide: true },
  { title: 'request', cell: ({ requestId }) => requestId ?? '-', wide: true },
  { title: 'message', cell: ({ message, note: why }) => (why === undefined ? message : `${message} (${why})`) },
];

const line = ({ at, actor, action, message, note: why }: Event): string =>
  `${at}  ${actor}  ${action}  ${message}${why === undefined ? '' : ` (${why})`}\n`;

async function follow(cli: Cli, query: EventQuery, asJson: boolean): Promise<void> {
  const signal = untilInterrupted();
  const interrupted = (): boolean => signal.aborted;
  let last: string | undefined;
  while (!interrupted()) {
    try {
      for await (const { event, data, id } of cli.client().followEvents(query, signal, last)) {
        if (event !== 'event') continue;
        print(asJson ? `${JSON.stringify(data)}\n` : line(data));
        last = id;
      }
    } catch (error) {
      if (interrupted()) return;
      // What lies with the question will not mend itself; a control plane that is away comes back.
      if (isError(error) && error.code !== 'unavailable') throw error;
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}

type Options = Omit<EventQuery, 'limit'> & { limit: string; watch?: boolean; output: string };

/** The newest of the heads that were kept: each says what all before it were. Error: `invalid`, naming the file. */
function lastLine(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new SwitchboardError('invalid', `--head: cannot read ${file}: ${messageOf(error)}`);
  }
  const last = text.trim().split(/\s+/).at(-1) ?? '';
  if (last === '') throw new SwitchboardError('invalid', `--head: ${file} is empty`);
  return last;
}

export function eventsCommand(cli: Cli): void {
  const events = cli.program
    .command('events')
    .summary('who changed what and why')
    .option('--subject <name>', 'a name, or Kind/name')
    .option('--kind <kind>', 'of the subject: Service, Instance, Route, ...')
    .option('-s, --service <name>', 'a service and its instances')
    .option('--actor <name>', 'who')
    .option('--action <action>', 'such as instance.ready, or instance for all of them')
    .option('--since <time>', 'from a time on, or how long ago: 1h')
    .option('--until <time>', 'before a time, or how long ago')
    .option('--text <text>', 'somewhere in message, actor, note or request id')
    .option('-n, --limit <count>', 'the newest so many', '50')
    .option('-w, --watch', 'go on with what comes')
    .option('-o, --output <format>', FORMATS.join(', '), 'table')
    .addHelpText(
      'after',
      '\nExamples:\n  switchboard events -s weather --since 1h\n  switchboard events -w\n  switchboard events export --out events.ndjson\n  switchboard events verify',
    )
    .action(async ({ limit, watch, output, ...filter }: Options) => {
      const query = { ...filter, limit: Number(limit) };
      const as = parseFormat(output);
      if (watch === true) {
        await follow(cli, query, as === 'json');
        return;
      }
      const { items } = await cli.client().events(query);
      if (items.length === 0 && (as === 'table' || as === 'wide')) print('no events\n');
      else print(format(items.toReversed(), columns, ({ id }) => id, as));
    });
  events
    .command('export')
    .summary('all events that the filters choose, as NDJSON')
    .option('--out <file>', 'into a file that does not exist yet')
    .action(async ({ out }: { out?: string }) => {
      const { subject, kind, service, actor, action, since, until, text } = events.opts<Options>();
      const chosen = Object.entries({ subject, kind, service, actor, action, since, until, text });
      const filter = Object.fromEntries(chosen.filter(([, value]) => value !== undefined));
      const lines = await (await cli.client().exportEvents(filter)).text();
      if (out === undefined) {
        print(lines);
        return;
      }
      writeFileSync(out, lines, { mode: 0o600, flag: 'wx' });
      note(`${lines.split('\n').length - 1} events are in ${out}`);
    });
  events
    .command('head')
    .summary('number and hash of the newest event, to be kept where who can write to the store can not')
    .addHelpText(
      'after',
      '\nExample, once an hour on another machine:\n  switchboard events head >> heads.txt && switchboard events verify --head @heads.txt',
    )
    .action(async () => {
      const { number, hash } = await cli.client().eventsHead();
      if (number === 0) throw new SwitchboardError('not_found', 'no event has a hash yet');
      print(`${number}:${hash}\n`);
    });
  events
    .command('verify')
    .summary('whether the stored events are those that were written (exit code 7: they are not)')
    .description(
      'Every event has a hash over the one before it and itself: one that was changed, taken out or put in is noticed. Whoever can write to the store could make the whole chain anew; keep its head elsewhere (`events head`), and give it to a later check.',
    )
    .option(
      '--head <number:hash>',
      'a head that was printed earlier, or @FILE with such lines, of which the last counts',
    )
    .addHelpText('after', '\nExamples:\n  switchboard events verify\n  switchboard events verify --head @heads.txt')
    .action(async ({ head }: { head?: string }) => {
      // Of a parent's options that have the same name this one has its own.
      const as = parseFormat(events.opts<Options>().output);
      const report = await cli.client().verifyEvents(head?.startsWith('@') === true ? lastLine(head.slice(1)) : head);
      const end = `${report.head.number}:${report.head.hash}`;
      if (as === 'json') print(`${JSON.stringify(report, undefined, 2)}\n`);
      else if (as === 'yaml') print(stringify(report));
      else {
        const { checked, unsealed, floor } = report;
        print(report.head.number === 0 ? 'no event has a hash yet\n' : `head ${end}\n`);
        note(
          `${checked} events were checked${floor.number === 0 ? '' : `; those up to number ${floor.number} are no longer kept`}${unsealed === 0 ? '' : `; ${unsealed} are older than the chain`}`,
        );
        for (const { event, message } of report.problems) note(`${event === null ? '' : `event ${event} `}${message}`);
        if (report.problemCount > report.problems.length)
          note(`and ${report.problemCount - report.problems.length} more`);
      }
      if (!report.ok) throw new Exit(EXIT.unhealthy);
    });
}
