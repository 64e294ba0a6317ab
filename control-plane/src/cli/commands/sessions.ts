/** `switchboard sessions` and `switchboard end`: who is connected where, and ending them. */
import type { ApiClient } from '../../api/client.ts';
import type { SessionQuery } from '../../api/queries.ts';
import type { EndedSession, Session } from '../../api/types.ts';
import { SwitchboardError } from '../../model/errors.ts';
import type { SessionEnd } from '../../model/session-end.ts';
import { untilInterrupted, wholeNumber, type Cli } from '../command.ts';
import { confirm } from '../confirm.ts';
import { EXIT, Exit } from '../exit.ts';
import { age, bytes, format, note, parseFormat, print, type Column } from '../output.ts';

interface Flags {
  service?: string;
  instance?: string;
  serviceVersion?: number;
  client?: string;
  since?: string;
  text?: string;
  limit?: number;
  output: string;
  ended?: boolean;
  watch?: boolean;
  count?: string | true;
  reason?: string;
  dryRun?: boolean;
  yes?: boolean;
  all?: boolean;
}

function queryOf({ service, instance, serviceVersion: version, client, since, text, limit }: Flags): SessionQuery {
  const given = { service, instance, version, client, since, text, limit };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function spell(ms: number): string {
  return age(new Date(0).toISOString(), ms);
}

const WHERE: readonly Column<Session>[] = [
  { title: 'id', cell: (one) => one.id },
  { title: 'service', cell: (one) => one.service },
  { title: 'instance', cell: (one) => one.instance ?? one.upstream },
  { title: 'version', cell: (one) => String(one.version ?? '-'), wide: true },
  { title: 'client', cell: (one) => one.client },
  { title: 'who', cell: (one) => one.principal ?? '-', wide: true },
];
const TRAFFIC: readonly Column<Session>[] = [
  { title: 'in', cell: (one) => bytes(one.bytesReceived) },
  { title: 'out', cell: (one) => bytes(one.bytesSent) },
];
const OPEN: readonly Column<Session>[] = [
  ...WHERE,
  { title: 'age', cell: (one) => age(one.startedAt, Date.now()) },
  ...TRAFFIC,
  { title: 'path', cell: (one) => one.path, wide: true },
  { title: 'agent', cell: (one) => one.userAgent, wide: true },
  { title: 'reason', cell: (one) => one.reason, wide: true },
];
const ENDED: readonly Column<EndedSession>[] = [
  ...WHERE,
  { title: 'lasted', cell: (one) => spell(one.durationMs) },
  ...TRAFFIC,
  { title: 'ended', cell: (one) => `${age(one.endedAt, Date.now())} ago` },
  { title: 'why', cell: (one) => one.why },
  { title: 'details', cell: (one) => one.details, wide: true },
];

async function show(client: ApiClient, flags: Flags): Promise<string> {
  const as = parseFormat(flags.output);
  if (flags.count !== undefined) {
    const by = flags.count === true ? 'service' : flags.count;
    const { total, unlisted, settled, groups } = await client.countSessions(by, queryOf(flags));
    if (!settled) note('a gateway has not told of all its sessions yet');
    if (unlisted !== 0) note(`the gateways count ${unlisted} more than are listed`);
    const columns = [
      { title: by, cell: (one: { key: string }) => one.key },
      { title: 'sessions', cell: (one: { count: number }) => String(one.count) },
    ];
    return format([...groups, { key: 'total', count: total }], columns, (one) => one.key, as);
  }
  if (flags.ended === true) {
    const { items } = await client.endedSessions(queryOf(flags));
    return items.length === 0 && as === 'table' ? 'no session ended lately\n' : format(items, ENDED, idOf, as);
  }
  const { items, total, settled } = await client.sessions(queryOf(flags));
  if (!settled) note('a gateway has not told of all its sessions yet');
  if (total > items.length) note(`${items.length} of ${total}; see --limit and the filters`);
  return items.length === 0 && as === 'table' ? 'no open sessions\n' : format(items, OPEN, idOf, as);
}

const idOf = (one: Session): string => one.id;

async function follow(client: ApiClient, flags: Flags): Promise<void> {
  const signal = untilInterrupted();
  try {
    for await (const { event, data } of client.watchSessions(queryOf(flags), signal)) {
      if (flags.output === 'json') print(`${JSON.stringify({ event, session: data })}\n`);
      else if ('why' in data)
        print(
          `ended   ${data.id}  ${data.instance ?? data.upstream}  ${data.client}  ${spell(data.durationMs)}: ${data.why}\n`,
        );
      else print(`opened  ${data.id}  ${data.instance ?? data.upstream}  ${data.client}  ${data.path}\n`);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

const OUTCOMES: readonly Column<SessionEnd>[] = [
  { title: 'id', cell: (one) => one.id },
  { title: 'instance', cell: (one) => one.instance ?? '-' },
  { title: 'outcome', cell: (one) => one.outcome },
  { title: 'message', cell: (one) => one.message },
];

async function end(client: ApiClient, id: string | undefined, flags: Flags): Promise<void> {
  const reason = flags.reason ?? '';
  if (id !== undefined) {
    print(format([await client.endSession(id, reason)], OUTCOMES, (one) => one.id, parseFormat(flags.output)));
    return;
  }
  const filter = queryOf(flags);
  const all = flags.all === true;
  if (Object.keys(filter).length === 0 && !all)
    throw new SwitchboardError('invalid', 'name a session, a filter such as --service, or --all');
  if (flags.dryRun !== true && flags.yes !== true) {
    const { total } = await client.endSessions(filter, { dryRun: true, all });
    if (total > 0) await confirm(`${total} open sessions will be ended`);
  }
  const { items } = await client.endSessions(filter, {
    reason,
    all,
    ...(flags.dryRun === true ? { dryRun: true } : {}),
  });
  print(
    items.length === 0 ? 'no session matches\n' : format(items, OUTCOMES, (one) => one.id, parseFormat(flags.output)),
  );
  if (items.some((one) => one.outcome === 'cannot')) throw new Exit(EXIT.failure);
}

export function sessionCommands(cli: Cli): void {
  const { program } = cli;
  const filters = (command: ReturnType<typeof program.command>): ReturnType<typeof program.command> =>
    command
      .option('--service <name>', 'of this service')
      .option('--instance <id>', 'on this instance')
      .option('--service-version <number>', 'of this version', wholeNumber(1))
      .option('--client <address>', 'of this client')
      .option('--since <time>', 'opened since then: a time, or 10m for the last ten minutes')
      .option('--text <text>', 'with this in id, path, user agent, principal or route')
      .option('-o, --output <format>', 'table, wide, json, yaml or name', 'table');
  filters(program.command('sessions'))
    .summary('list, count or watch open sessions')
    .option('--limit <count>', 'at most this many', wholeNumber(1))
    .option('--ended', 'those that ended in the last hour, and why')
    .option('--count [by]', 'how many by service, instance, version, client, gateway, route or policy')
    .option('-w, --watch', 'also what opens and ends from now on')
    .addHelpText(
      'after',
      '\nExamples:\n  switchboard sessions --service weather -o wide\n  switchboard sessions --count instance\n  switchboard sessions --ended --since 10m',
    )
    .action(async (flags: Flags) => {
      if (flags.watch === true) await follow(cli.client(), flags);
      else print(await show(cli.client(), flags));
    });
  filters(program.command('end [session]'))
    .summary('end a session, or all that a filter chooses')
    .description(
      "The agent's close hook is asked; without one the connection is destroyed, where this machine allows it.",
    )
    .option('--reason <text>', 'told to the agent')
    .option('--all', 'without a filter: every session')
    .option('--dry-run', 'tell what would happen')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  switchboard end --client 10.0.0.7 --reason abuse --dry-run')
    .action(async (id: string | undefined, flags: Flags) => {
      await end(cli.client(), id, flags);
    });
}
