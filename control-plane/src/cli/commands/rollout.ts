import { steerFrom } from '../../api/steer.ts';
import type { RolloutVersion, RolloutView } from '../../api/types.ts';
import { SwitchboardError } from '../../model/errors.ts';
import type { RolloutVerb } from '../../model/rollout.ts';
import type { Version } from '../../model/version.ts';
import type { Cli } from '../command.ts';
import { EXIT, Exit } from '../exit.ts';
import { tellWrite } from '../impact.ts';
import { age, format, parseFormat, print, table, tint, type Column } from '../output.ts';
import { tellAndWait, untilReady, waitOptions, writeFlags, type WaitFlags } from '../waiting.ts';

const now = (): number => Date.now();

function stageLine(rollout: RolloutView): string {
  return rollout.stages
    .map(({ weight }, index) => {
      const text = `${weight} %`;
      if (index < rollout.stage || rollout.phase === 'completed') return `[done ${text}]`;
      return index === rollout.stage && rollout.phase !== 'aborted' ? `[> ${text}]` : `[${text}]`;
    })
    .join(' ');
}

/** Of a version that still gets new sessions there is no such time. */
function emptyIn({ receiving, sessions, estimateMs }: RolloutVersion): string {
  if (receiving) return '-';
  if (sessions === 0) return 'is empty';
  return estimateMs === null ? '?' : `about ${age(new Date(0).toISOString(), estimateMs)}`;
}

function tell(rollout: RolloutView): void {
  const { from, to, number, strategy, phase, message } = rollout;
  print(`${rollout.service}: rollout ${number}, version ${from} -> ${to} (${strategy.strategy})\n`);
  print(`${tint(phase)}: ${message} (${age(rollout.since, now())})\n`);
  if (rollout.stages.length > 0) print(`stages: ${stageLine(rollout)}\n`);
  print(
    `\n${table(rollout.versions, [
      { title: 'version', cell: (one) => `${one.number}${one.number === to ? ' (new)' : ''}` },
      { title: 'new sessions', cell: (one) => (one.weight === null ? 'by instance' : `${one.weight} %`) },
      { title: 'ready', cell: (one) => `${one.ready}/${one.instances}` },
      { title: 'draining', cell: (one) => String(one.draining) },
      { title: 'open sessions', cell: (one) => String(one.sessions) },
      { title: 'empty in', cell: emptyIn },
    ])}`,
  );
  for (const { number: version, receiving, sessions, estimateReason } of rollout.versions)
    if (!receiving && sessions > 0) print(`version ${version} gets no new sessions; ${estimateReason}\n`);
  const last = rollout.measurements.at(-1)?.at;
  const look = rollout.measurements.filter((one) => one.at === last);
  if (look.length === 0) return;
  print(
    `\n${table(look, [
      { title: 'metric', cell: (one) => one.metric },
      { title: 'verdict', cell: (one) => tint(one.verdict) },
      { title: 'figures', cell: (one) => one.message },
    ])}`,
  );
}

/** Versions as `rollout history` shows them. */
const HISTORY: readonly Column<Version & { readonly current: boolean }>[] = [
  { title: 'version', cell: (one) => `${one.number}${one.current ? ' *' : ''}` },
  { title: 'pinned', cell: (one) => (one.pinned === true ? 'yes' : '') },
  { title: 'age', cell: (one) => age(one.createdAt, now()) },
  { title: 'author', cell: (one) => one.author },
  { title: 'note', cell: (one) => one.note },
  { title: 'runs', cell: (one) => one.launch?.image ?? one.launch?.command?.join(' ') ?? '-', wide: true },
];

function versionNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new SwitchboardError('invalid', `a version is a whole number from 1, not ${text}`);
  return Number(text);
}

const value = (given: unknown): string => (given === undefined ? '(none)' : JSON.stringify(given));

export function rolloutCommands(cli: Cli): void {
  const rollout = cli.program
    .command('rollout')
    .summary('how a new version takes over: look, promote, take back')
    .addHelpText(
      'after',
      '\nExamples:\n  switchboard rollout status weather\n  switchboard rollout status weather --ready\n  switchboard rollout promote weather\n  switchboard rollout abort weather\n  switchboard rollout undo weather --to 3',
    );
  rollout
    .command('status <service>')
    .summary('stages, figures, sessions by version, and when the old one may be empty')
    .description('Exit code 7 when the newest rollout was aborted.')
    .option('-o, --output <format>', 'table, json or yaml', 'table')
    .option('--ready', 'first wait until it is over and every instance wanted is ready')
    .option('--timeout <duration>', 'with --ready: at most this long (default: 5m)')
    .action(async (service: string, flags: WaitFlags & { output: string }) => {
      const as = parseFormat(flags.output);
      writeFlags(flags);
      let found = await cli.client().rollout(service);
      if (flags.ready === true) {
        await untilReady(cli, { services: [service], revision: 0, timeout: flags.timeout, abortFails: true });
        found = await cli.client().rollout(service);
      }
      if (as === 'table' || as === 'wide') tell(found);
      else print(format([found], [], (one) => one.service, as));
      if (found.phase === 'aborted') throw new Exit(EXIT.unhealthy);
    });
  rollout
    .command('list')
    .summary('the newest rollout of every service')
    .option('-o, --output <format>', 'table, wide, json, yaml or name', 'table')
    .action(async (flags: { output: string }) => {
      const { items } = await cli.client().rollouts();
      const columns: readonly Column<RolloutView>[] = [
        { title: 'service', cell: (one) => one.service },
        { title: 'versions', cell: (one) => `${one.from} -> ${one.to}` },
        { title: 'strategy', cell: (one) => one.strategy.strategy },
        { title: 'phase', cell: (one) => tint(one.phase) },
        { title: 'weight', cell: (one) => `${one.weight} %` },
        { title: 'age', cell: (one) => age(one.startedAt, now()) },
        { title: 'message', cell: (one) => one.message },
      ];
      print(format(items, columns, (one) => one.service, parseFormat(flags.output)));
    });
  rollout
    .command('history <service>')
    .summary('the versions that are kept')
    .option('-o, --output <format>', 'table, wide, json, yaml or name', 'table')
    .action(async (service: string, flags: { output: string }) => {
      const client = cli.client();
      const [{ items }, { version }] = await Promise.all([client.versions(service), client.service(service)]);
      const shown = items.map((one) => ({ ...one, current: one.number === version }));
      print(format(shown, HISTORY, (one) => `${one.service}/${one.number}`, parseFormat(flags.output)));
    });
  rollout
    .command('diff <service> <from> <to>')
    .summary('what differs between two versions')
    .description('Exit code 1 when they differ.')
    .action(async (service: string, from: string, to: string) => {
      const { diff } = await cli.client().diffVersions(service, versionNumber(from), versionNumber(to));
      for (const { path, before, after } of diff) print(`${path}: ${value(before)} -> ${value(after)}\n`);
      if (diff.length > 0) throw new Exit(EXIT.failure);
    });
  for (const [verb, summary] of [
    ['pause', 'stay where it is'],
    ['resume', 'go on'],
    ['abort', 'the old version takes all new sessions again'],
    ['retry', 'begin an aborted rollout again'],
  ] as const)
    waitOptions(rollout.command(`${verb} <service>`).summary(summary), {
      ready: verb === 'resume' || verb === 'retry',
    }).action(async (service: string, flags: WaitFlags) => steer(service, verb, flags));
  waitOptions(rollout.command('promote <service>').summary('go to the next stage'))
    .option('--full', 'take over without further stages')
    .action(async (service: string, flags: WaitFlags & { full?: boolean }) =>
      steer(service, flags.full === true ? 'promote-full' : 'promote', flags),
    );
  waitOptions(rollout.command('undo <service>').summary('go back to an earlier version in one step'))
    .option('--to <version>', 'which one (default: the one before)')
    .option('--dry-run', 'tell what would happen')
    .action(async (service: string, flags: WaitFlags & { to?: string; dryRun?: boolean }) => {
      const version = flags.to === undefined ? undefined : versionNumber(flags.to);
      const write = writeFlags(flags);
      await tellAndWait(cli, await cli.client().undo(service, version, write), flags, {
        abortFails: true,
        named: service,
      });
    });
  for (const [verb, pinned] of [
    ['pin', true],
    ['unpin', false],
  ] as const)
    rollout
      .command(`${verb} <service> <version>`)
      .summary(pinned ? 'keep a version in the history' : 'let a version go with the history')
      .action(async (service: string, version: string) => {
        tellWrite(await cli.client().pinVersion(service, versionNumber(version), pinned));
      });
  for (const command of rollout.commands) command.exitOverride();

  async function steer(service: string, verb: RolloutVerb, flags: WaitFlags): Promise<void> {
    const write = writeFlags(flags);
    const client = cli.client();
    // What was looked at is what is steered: somebody else's step in between is a conflict.
    const answer = await steerFrom(client, await client.rollout(service), verb, write);
    await tellAndWait(cli, answer, flags, { abortFails: true, named: service });
  }
}
