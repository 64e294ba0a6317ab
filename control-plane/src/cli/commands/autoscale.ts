import type { AutoscaleView, Replay } from '../../api/types.ts';
import type { ScaleDecision } from '../../model/autoscale.ts';
import { SwitchboardError } from '../../model/errors.ts';
import type { Cli } from '../command.ts';
import { readDocuments } from '../documents.ts';
import { age, format, parseFormat, print, table, type Column } from '../output.ts';

const DECISIONS: readonly Column<ScaleDecision>[] = [
  { title: 'age', cell: (one) => age(one.at, Date.now()) },
  { title: 'instances', cell: (one) => (one.from === one.to ? String(one.to) : `${one.from} -> ${one.to}`) },
  { title: 'ready', cell: (one) => String(one.sample.ready) },
  { title: 'sessions', cell: (one) => String(one.sample.sessions ?? '?') },
  { title: 'reason', cell: (one) => one.reason },
  { title: 'figures', cell: (one) => one.message },
];

/** The newest, and before it those at which something changed. */
function worthTelling(decisions: readonly ScaleDecision[]): ScaleDecision[] {
  return decisions.filter((one, index) => index === decisions.length - 1 || one.from !== one.to).slice(-20);
}

function tell({ service, policy, scale, decisions }: AutoscaleView): void {
  const wants = scale === null ? 'nothing was changed yet' : `${scale.replicas} instances (${scale.reason})`;
  print(`${service}: ${wants}, ${policy.min} to ${policy.max} allowed\n`);
  if (scale !== null) print(`${scale.message} (${age(scale.since, Date.now())})\n`);
  if (decisions.length > 0) print(`\n${table(worthTelling(decisions), DECISIONS)}`);
}

function tellReplay({ moves, summary }: Replay): void {
  const { fewest, most, instanceHours, overloadedSeconds } = summary;
  print(`${fewest} to ${most} instances; ${instanceHours.wouldBe} instance hours (as it was: ${instanceHours.was})\n`);
  if (overloadedSeconds !== null) print(`without room for all sessions: ${overloadedSeconds} s\n`);
  if (moves.length === 0) return;
  print(
    `\n${table(moves, [
      { title: 'at', cell: (one) => one.at },
      { title: 'instances', cell: (one) => `${one.from} -> ${one.to}` },
      { title: 'reason', cell: (one) => one.reason },
      { title: 'figures', cell: (one) => one.message },
    ])}`,
  );
}

export function autoscaleCommands(cli: Cli): void {
  const autoscale = cli.program.command('autoscale').summary('how many instances follow the load, and why');
  autoscale
    .command('status <service>')
    .summary('what it wants, and its last decisions')
    .option('-o, --output <format>', 'table, json or yaml', 'table')
    .addHelpText('after', '\nExample:\n  switchboard autoscale status weather')
    .action(async (service: string, flags: { output: string }) => {
      const as = parseFormat(flags.output);
      const found = await cli.client().autoscale(service);
      if (as === 'table' || as === 'wide') tell(found);
      else print(format([found], [], (one) => one.service, as));
    });
  autoscale
    .command('replay <service>')
    .summary('try a policy on what was recorded')
    .requiredOption('-f, --file <file>', 'the policy (what spec.autoscale holds) as YAML or JSON')
    .option('--over <duration>', 'how far back', '1h')
    .option('--start-time <duration>', 'how long an instance takes to get ready', '5s')
    .option('-o, --output <format>', 'table, json or yaml', 'table')
    .addHelpText('after', '\nExample:\n  switchboard autoscale replay weather -f policy.yaml --over 6h')
    .action(async (service: string, flags: { file: string; over: string; startTime: string; output: string }) => {
      const as = parseFormat(flags.output);
      const [policy, more] = (await readDocuments([flags.file])).all;
      if (policy === undefined || more !== undefined)
        throw new SwitchboardError('invalid', `--file: ${flags.file} must hold one policy`);
      const body = { policy, over: flags.over, startTime: flags.startTime };
      const found = await cli.client().replayScale(service, body);
      if (as === 'table' || as === 'wide') tellReplay(found);
      else print(format([found], [], () => service, as));
    });
  for (const command of autoscale.commands) command.exitOverride();
}
