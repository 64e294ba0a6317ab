/** `switchboard top`: what every service or instance does now, in the terminal, until `q`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';
import { stringify } from 'yaml';
import { SwitchboardError, messageOf } from '../../model/errors.ts';
import { durationFlag, untilInterrupted, type Cli } from '../command.ts';
import { bytes, format, parseFormat, print, table, tint, type Column } from '../output.ts';
import { openScreen, type Key } from '../screen.ts';
import {
  SORTS,
  parseSort,
  readTop,
  sorted,
  type Top,
  type TopRow,
  type TopSort,
  type TopSubject,
} from '../top-rows.ts';

/** A control plane that does not answer in this time has gone, for whoever looks. */
const ANSWER_MS = 5_000;
const SHORTEST_MS = 200;
/** Lines above the table's rows: what is shown, totals, an empty one, titles. */
const HEAD = 4;

const none = '-';
const rate = (value: number | null): string => (value === null ? none : value.toFixed(value < 10 ? 1 : 0));
const ms = (value: number | null): string => (value === null ? none : `${value.toFixed(value < 10 ? 1 : 0)} ms`);
const cpu = (value: number | null): string => (value === null ? none : `${(value * 100).toFixed(0)}%`);
const memory = (value: number | null): string => (value === null ? none : bytes(value));
/** Failures are what one looks for. */
const alarming = (text: string): string => (Number(text) > 0 ? styleText('red', text) : text);

function columnsOf(of: TopSubject): readonly Column<TopRow>[] {
  return [
    { title: of === 'services' ? 'service' : 'instance', cell: (one) => one.name },
    ...(of === 'instances' ? [{ title: 'service', cell: (one: TopRow): string => one.service }] : []),
    { title: 'state', cell: (one) => tint(one.state) },
    { title: 'ready', cell: (one) => `${one.ready}/${one.wanted}`, right: true },
    { title: 'sessions', cell: (one) => String(one.sessions), right: true },
    { title: 'new/s', cell: (one) => rate(one.connectsPerSecond), right: true },
    { title: 'fail/s', cell: (one) => alarming(rate(one.failuresPerSecond)), right: true },
    { title: 'cpu', cell: (one) => cpu(one.cpuCores), right: true },
    { title: 'memory', cell: (one) => memory(one.memoryBytes), right: true },
    { title: 'p50', cell: (one) => ms(one.handshakeP50Ms), right: true },
    { title: 'p99', cell: (one) => ms(one.handshakeP99Ms), right: true },
  ];
}

interface View {
  of: TopSubject;
  sort: TopSort;
  reverse: boolean;
  /** Rows that are scrolled past. */
  from: number;
}

interface Known {
  readonly top: Top;
  readonly url: string;
  /** Undefined: what is shown is what is so. */
  readonly stale: { readonly since: number; readonly why: string } | undefined;
}

const clock = (at: number): string => new Date(at).toTimeString().slice(0, 8);

function picture({ top, url, stale }: Known, view: View, rows: number): string {
  const { total } = top;
  const sign =
    stale === undefined
      ? styleText('green', 'live')
      : styleText(['red', 'bold'], `stale since ${clock(stale.since)}: ${stale.why}`);
  const shown = sorted(top.items, view.sort, view.reverse);
  const room = Math.max(1, rows - HEAD);
  view.from = Math.max(0, Math.min(view.from, shown.length - room));
  const [titles = '', ...lines] = table(shown, columnsOf(top.of)).trimEnd().split('\n');
  const place =
    shown.length > room ? `  ${view.from + 1}-${Math.min(shown.length, view.from + room)} of ${shown.length}` : '';
  return [
    `${styleText('bold', url)}  ${clock(Date.parse(top.at))}  ${sign}`,
    `${total.sessions} sessions  ${rate(total.connectsPerSecond)} new/s  ${alarming(rate(total.failuresPerSecond))} fail/s  cpu ${cpu(total.cpuCores)}  memory ${memory(total.memoryBytes)}  handshake ${ms(total.handshakeP50Ms)} / ${ms(total.handshakeP99Ms)} (last ${top.windowSeconds} s)`,
    styleText(
      'dim',
      `by ${view.sort}${view.reverse ? ', reversed' : ''}${place}   q quit  < > sort  r reverse  i services/instances  arrows scroll`,
    ),
    styleText('inverse', shown.length === 0 ? `no ${top.of}` : titles),
    ...lines.slice(view.from, view.from + room),
  ].join('\n');
}

/** What a key does to the view; true: something. */
function steer(view: View, { name }: Key, page: number): boolean {
  const turn = (by: number): TopSort => SORTS.at((SORTS.indexOf(view.sort) + by) % SORTS.length) ?? 'name';
  const moves: Record<string, () => void> = {
    '<': () => (view.sort = turn(-1)),
    left: () => (view.sort = turn(-1)),
    '>': () => (view.sort = turn(1)),
    right: () => (view.sort = turn(1)),
    r: () => (view.reverse = !view.reverse),
    i: () => (view.of = view.of === 'services' ? 'instances' : 'services'),
    up: () => (view.from -= 1),
    down: () => (view.from += 1),
    pageup: () => (view.from -= page),
    pagedown: () => (view.from += page),
    home: () => (view.from = 0),
  };
  moves[name]?.();
  return moves[name] !== undefined;
}

async function answered<T>(work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = sleep(ANSWER_MS, undefined, { signal: over.signal }).then(() => {
    throw new SwitchboardError('unavailable', `no answer within ${ANSWER_MS / 1000} s`);
  });
  late.catch(() => undefined);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

async function live(cli: Cli, view: View, service: string | undefined, everyMs: number): Promise<void> {
  const quit = new AbortController();
  const stop = AbortSignal.any([untilInterrupted(), quit.signal]);
  const isOver = (): boolean => stop.aborted;
  const first = cli.client();
  // What lies with the question ends it before the screen is taken.
  let known: Known = { top: await readTop(first, view.of, service), url: first.url, stale: undefined };
  let wake = new AbortController();
  const screen = openScreen(
    (key) => {
      if (key.name === 'q' || (key.ctrl && key.name === 'c')) quit.abort();
      else if (steer(view, key, screen.rows() - HEAD)) {
        show();
        if (known.top.of !== view.of) wake.abort();
      }
    },
    () => {
      show();
    },
  );
  function show(): void {
    screen.draw(picture(known, view, screen.rows()));
  }
  try {
    for (;;) {
      show();
      wake = new AbortController();
      await sleep(everyMs, undefined, { signal: AbortSignal.any([stop, wake.signal]) }).catch(() => undefined);
      if (isOver()) return;
      try {
        // Anew each time: it may come back at another port.
        const client = cli.client();
        known = { top: await answered(readTop(client, view.of, service)), url: client.url, stale: undefined };
      } catch (error) {
        const [why = ''] = messageOf(error).split('\n');
        known = { ...known, stale: { since: known.stale?.since ?? Date.parse(known.top.at), why } };
      }
    }
  } finally {
    screen.close();
  }
}

interface Flags {
  instances?: boolean;
  service?: string;
  sort: string;
  reverse?: boolean;
  interval: string;
  once?: boolean;
  output: string;
}

export function topCommand(cli: Cli): void {
  cli.program
    .command('top')
    .summary('what every service or instance does now, live')
    .description(
      'Sessions, new sessions and failures a second, processor, memory and how long handshakes take (rates and times over the last minute). Keys: q, < >, r, i, arrows. Where the output is no terminal it is printed once.',
    )
    .option('--instances', 'by instance, not by service')
    .option('--service <name>', 'of this service alone')
    .option('--sort <key>', SORTS.join(', '), 'name')
    .option('--reverse', 'the other way round')
    .option('--interval <duration>', 'how often it is looked', '1s')
    .option('--once', 'print it once')
    .option('-o, --output <format>', 'table, json, yaml or name: other than table are printed once', 'table')
    .addHelpText(
      'after',
      '\nExamples:\n  switchboard top\n  switchboard top --instances --service weather --sort sessions\n  switchboard top -o json | jq .total.sessions',
    )
    .action(async (flags: Flags) => {
      const as = parseFormat(flags.output);
      const view: View = {
        of: flags.instances === true ? 'instances' : 'services',
        sort: parseSort(flags.sort),
        reverse: flags.reverse === true,
        from: 0,
      };
      const everyMs = durationFlag('--interval', flags.interval);
      if (everyMs < SHORTEST_MS)
        throw new SwitchboardError('invalid', `--interval must be at least ${SHORTEST_MS}ms, not ${flags.interval}`);
      if (flags.once !== true && as === 'table' && process.stdout.isTTY) {
        await live(cli, view, flags.service, everyMs);
        return;
      }
      const top = await readTop(cli.client(), view.of, flags.service);
      const items = sorted(top.items, view.sort, view.reverse);
      if (as === 'json') print(`${JSON.stringify({ ...top, items }, undefined, 2)}\n`);
      else if (as === 'yaml') print(stringify({ ...top, items }));
      else if (items.length === 0 && as !== 'name') print(`no ${view.of}\n`);
      else print(format(items, columnsOf(view.of), (one) => one.name, as));
    });
}
