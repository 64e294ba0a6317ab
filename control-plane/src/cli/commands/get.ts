import { stringify } from 'yaml';
import { placeOf } from '../../model/address.ts';
import type { ApiClient } from '../../api/client.ts';
import type { GatewayView, InstanceView, RouteView, ServiceView, Session } from '../../api/types.ts';
import { SwitchboardError } from '../../model/errors.ts';
import type { Event } from '../../model/event.ts';
import { missing } from '../../model/missing.ts';
import { pathInWords, targetInWords } from '../../model/route-words.ts';
import { takesSessions } from '../../model/takes-sessions.ts';
import type { Version } from '../../model/version.ts';
import { unknownKind, untilInterrupted, wholeNumber, type Cli } from '../command.ts';
import { jsonPath } from '../json-path.ts';
import { keepWatching } from '../keep-watching.ts';
import { SHORT_KINDS, kindOf } from '../kinds.ts';
import { age, format, parseFormat, print, printAnew, tint, type Column, type Format } from '../output.ts';

interface Listing<T> {
  readonly fetch: (client: ApiClient, filter: Filter) => Promise<readonly T[]>;
  readonly nameOf: (item: T) => string;
  readonly columns: readonly Column<T>[];
}

interface Filter {
  readonly service?: string;
  readonly label?: string;
  readonly limit?: number;
}

const since = (time: string | undefined): string => age(time, Date.now());

const services: Listing<ServiceView> = {
  fetch: async (client, { label }) => (await client.services(label === undefined ? {} : { label })).items,
  nameOf: (one) => one.name,
  columns: [
    { title: 'name', cell: (one) => one.name },
    {
      title: 'state',
      cell: ({ status }) =>
        tint(status.state) +
        (status.conditions.length === 0 ? '' : ` (${tint('refused')})`) +
        (status.rollout === null || status.rollout.phase === 'progressing'
          ? ''
          : ` (rollout ${tint(status.rollout.phase)})`),
    },
    { title: 'ready', cell: (one) => `${one.status.ready}/${one.status.wanted}` },
    { title: 'sessions', cell: (one) => String(one.status.sessions) },
    { title: 'version', cell: (one) => String(one.version) },
    { title: 'address', cell: (one) => one.status.url },
    { title: 'set', cell: (one) => one.set ?? '-', wide: true },
    {
      title: 'message',
      cell: ({ status }) =>
        [
          status.message,
          ...(status.rollout === null ? [] : [`rollout ${status.rollout.phase}: ${status.rollout.message}`]),
          ...status.conditions.map(({ message }) => message),
        ].join('; '),
      wide: true,
    },
  ],
};

const instances: Listing<InstanceView> = {
  fetch: async (client, { service }) => (await client.instances(service === undefined ? {} : { service })).items,
  nameOf: (one) => one.id,
  columns: [
    { title: 'id', cell: (one) => one.id },
    { title: 'service', cell: (one) => one.service },
    { title: 'state', cell: (one) => tint(one.state) },
    {
      title: 'health',
      cell: ({ health }) => tint(health?.gateway === 'failed' ? 'no sessions' : (health?.verdict ?? 'unknown')),
    },
    { title: 'sessions', cell: (one) => String(one.sessions) },
    { title: 'address', cell: (one) => placeOf(one) || '-' },
    { title: 'pid', cell: (one) => String(one.process?.pid ?? '-') },
    { title: 'cpu', cell: (one) => (one.usage === null ? '-' : `${(one.usage.cpuCores * 100).toFixed(0)}%`) },
    {
      title: 'memory',
      cell: (one) => (one.usage === null ? '-' : `${Math.round(one.usage.memoryBytes / 2 ** 20)} MiB`),
    },
    { title: 'restarts', cell: (one) => String(one.restarts) },
    { title: 'age', cell: (one) => since(one.createdAt) },
    {
      title: 'message',
      cell: ({ state, health, message }) =>
        state === 'ready' && health !== null && !takesSessions(health) ? health.reason : message,
      wide: true,
    },
  ],
};

const routes: Listing<RouteView> = {
  fetch: async (client) => (await client.routes()).items,
  nameOf: (one) => one.name,
  columns: [
    { title: 'name', cell: (one) => one.name },
    { title: 'path', cell: (one) => pathInWords(one.spec.match.path) },
    { title: 'target', cell: (one) => targetInWords(one.spec.target) },
    { title: 'priority', cell: (one) => String(one.spec.priority) },
    { title: 'enabled', cell: (one) => String(one.spec.enabled) },
    { title: 'set', cell: (one) => one.set ?? '-', wide: true },
    { title: 'message', cell: (one) => one.status.conditions.map(({ message }) => message).join('; '), wide: true },
  ],
};

const gateways: Listing<GatewayView> = {
  fetch: async (client) => (await client.gateways()).items,
  nameOf: (one) => one.node,
  columns: [
    { title: 'node', cell: (one) => one.node },
    { title: 'envoy', cell: (one) => one.envoyVersion },
    { title: 'revision', cell: (one) => String(one.ackedRevision) },
    ...['lds', 'rds', 'cds', 'eds'].map((type): Column<GatewayView> => ({
      title: type,
      cell: (one) => tint(one.types[type]?.state ?? 'NOT_SENT'),
    })),
    {
      title: 'message',
      cell: (one) => one.conditions.map(({ message }) => message).join('; '),
    },
  ],
};

const sessions: Listing<Session> = {
  fetch: async (client, { service, limit }) =>
    (
      await client.sessions({
        ...(service === undefined ? {} : { service }),
        ...(limit === undefined ? {} : { limit }),
      })
    ).items,
  nameOf: (one) => one.id,
  columns: [
    { title: 'id', cell: (one) => one.id },
    { title: 'service', cell: (one) => one.service },
    { title: 'instance', cell: (one) => one.upstream },
    { title: 'client', cell: (one) => one.client },
    { title: 'age', cell: (one) => since(one.startedAt) },
    { title: 'path', cell: (one) => one.path, wide: true },
  ],
};

const events: Listing<Event> = {
  fetch: async (client, { service, limit }) =>
    (
      await client.events({ limit: limit ?? 50, ...(service === undefined ? {} : { subject: service }) })
    ).items.toReversed(),
  nameOf: (one) => one.id,
  columns: [
    { title: 'when', cell: (one) => one.at },
    { title: 'who', cell: (one) => one.actor },
    { title: 'what', cell: (one) => one.action },
    { title: 'message', cell: (one) => one.message },
  ],
};

const versions: Listing<Version> = {
  async fetch(client, { service }) {
    if (service === undefined) throw new SwitchboardError('invalid', 'name the service: get versions --service NAME');
    return (await client.versions(service)).items;
  },
  nameOf: (one) => `${one.service}/${one.number}`,
  columns: [
    { title: 'number', cell: (one) => String(one.number) },
    { title: 'age', cell: (one) => since(one.createdAt) },
    { title: 'by', cell: (one) => one.author },
    { title: 'note', cell: (one) => one.note },
    { title: 'command', cell: (one) => (one.launch?.command ?? [one.launch?.image ?? '(external)']).join(' ') },
  ],
};

/** One entry a kind; the union is narrowed by `show`, which treats all alike. */
const KINDS: Readonly<Record<string, Listing<object>>> = {
  services,
  instances,
  routes,
  gateways,
  sessions,
  events,
  versions,
} as unknown as Record<string, Listing<object>>;

function listingOf(kind: string): Listing<object> {
  const found = KINDS[`${kindOf(kind)}s`];
  if (found === undefined) throw unknownKind(kind, Object.keys(KINDS));
  return found;
}

type Output = Format | ((value: unknown) => string);
const JSONPATH = 'jsonpath=';

function outputOf(text: string): Output {
  return text.startsWith(JSONPATH) ? jsonPath(text.slice(JSONPATH.length)) : parseFormat(text);
}

const asWords = (line: string): string => line.replaceAll(/\s+/g, ' ').trim();

/** What a pipe gets after a change: of a table the lines that are new or others now, with its titles once. */
function appended(text: string, last: string, as: Output): string {
  if (last === '' || as === 'json' || typeof as === 'function') return text;
  if (as === 'yaml') return `---\n${text}`;
  const before = new Set(last.split('\n').map(asWords));
  const fresh = text.split('\n').filter((line) => !before.has(asWords(line)));
  return fresh.map((line) => `${line}\n`).join('');
}

async function show(
  client: ApiClient,
  kind: string,
  name: string | undefined,
  filter: Filter,
  as: Output,
): Promise<string> {
  const listing = listingOf(kind);
  const singular = kindOf(kind);
  const all = await listing.fetch(client, filter);
  const items = (name === undefined ? all : all.filter((item) => listing.nameOf(item) === name)).slice(0, filter.limit);
  if (name !== undefined && items.length === 0) throw missing(singular, name, all.map(listing.nameOf));
  // As kubectl: a name gives the one, else it is a list.
  if (typeof as === 'function') return `${as(name === undefined ? { items } : items[0])}\n`;
  if (items.length === 0 && (as === 'table' || as === 'wide')) return `no ${singular}s\n`;
  return format(items, listing.columns, listing.nameOf, as);
}

/** What belongs together, under a key each. */
async function everythingAbout(client: ApiClient, kind: string, name: string): Promise<object> {
  const recent = async (): Promise<readonly Event[]> => (await client.events({ subject: name, limit: 20 })).items;
  if (kind === 'service') {
    const [{ items: all }, { items: known }] = [await client.instances({ service: name }), await client.versions(name)];
    return { service: await client.service(name), instances: all, versions: known, events: await recent() };
  }
  if (kind === 'instance') return { instance: await client.instance(name), events: await recent() };
  if (kind === 'route') return { route: await client.route(name) };
  const listing = listingOf(kind);
  const found = (await listing.fetch(client, {})).find((item) => listing.nameOf(item) === name);
  if (found === undefined) throw new SwitchboardError('not_found', `there is no ${kind} ${name}`);
  return { [kind]: found };
}

export function getCommands(cli: Cli): void {
  cli.program
    .command('get <kind> [name]')
    .summary('list services, instances, routes, gateways, sessions, events, versions')
    .description(
      `Lists what there is. Kinds: ${Object.keys(KINDS).join(', ')}; one or several, or short: ${SHORT_KINDS}.`,
    )
    .option('-o, --output <format>', "table, wide, json, yaml, name or jsonpath='{.items[*].name}'", 'table')
    .option('-w, --watch', 'go on: on a terminal all of it again after each change, else the lines that are new')
    .option('-l, --label <key=value>', 'services with this label')
    .option('--service <name>', 'of this service')
    .option('--limit <count>', 'at most this many', wholeNumber(1))
    .addHelpText(
      'after',
      "\nExamples:\n  switchboard get services -w\n  switchboard get inst --service weather -o json\n  switchboard get svc -o jsonpath='{.items[*].name}'",
    )
    .action(async (kind: string, name: string | undefined, options: Filter & { output: string; watch?: boolean }) => {
      const as = outputOf(options.output);
      if (options.watch !== true) {
        print(await show(cli.client(), kind, name, options, as));
        return;
      }
      listingOf(kind);
      const signal = untilInterrupted();
      let last = '';
      await keepWatching(cli, signal, async (client, alive) => {
        const changes = client.live(signal)[Symbol.asyncIterator]();
        while ((await changes.next()).done !== true) {
          alive();
          const text = await show(client, kind, name, options, as);
          if (text !== last && process.stdout.isTTY) printAnew(text);
          else if (text !== last) print(appended(text, last, as));
          last = text;
        }
      });
    });

  cli.program
    .command('describe <kind> <name>')
    .summary('show everything about one service, instance, route or gateway')
    .addHelpText('after', '\nExample:\n  switchboard describe service weather')
    .action(async (kind: string, name: string) => {
      const client = cli.client();
      const parts = await everythingAbout(client, kindOf(kind), name);
      print(stringify(parts));
    });
}
