/** `switchboard drain`, `undrain` and `drains`: no new sessions here, and how far that is. */
import type { DrainPolicy, DrainProgress, DrainRequest, DrainTarget, GatewayDrainProgress } from '../../model/drain.ts';
import { SwitchboardError } from '../../model/errors.ts';
import { unknownKind, type Cli } from '../command.ts';
import { confirmedEnds, tellWrite } from '../impact.ts';
import { kindOf } from '../kinds.ts';
import { age, format, parseFormat, print, type Column, type Format } from '../output.ts';
import { waitOptions, writeFlags, type WaitFlags } from '../waiting.ts';

interface Flags extends WaitFlags {
  keep?: boolean;
  policy?: string;
  deadline?: string;
  notify?: string;
  reason?: string;
  dryRun?: boolean;
  yes?: boolean;
}

function targetOf(kind: string, name: string, number: string | undefined): DrainTarget {
  const is = kindOf(kind);
  if (is === 'instance') return { kind: 'instance', id: name };
  if (is === 'service') return { kind: 'service', name };
  if (is === 'version') {
    if (number === undefined || !/^\d+$/.test(number))
      throw new SwitchboardError('invalid', 'name the version: drain version SERVICE NUMBER');
    return { kind: 'version', name, number: Number(number) };
  }
  throw unknownKind(kind, ['instance', 'version', 'service', 'gateway']);
}

function estimateOf({ estimateMs }: { estimateMs: number | null }): string {
  return estimateMs === null ? '?' : age(new Date(0).toISOString(), estimateMs);
}

const COLUMNS: readonly Column<DrainProgress>[] = [
  { title: 'instance', cell: (one) => one.instance },
  { title: 'service', cell: (one) => one.service },
  { title: 'state', cell: (one) => one.state },
  { title: 'open', cell: (one) => String(one.remaining) },
  {
    title: 'estimate',
    cell: (one) => estimateOf(one),
  },
  { title: 'policy', cell: (one) => one.policy ?? 'close' },
  { title: 'then', cell: (one) => one.then ?? 'stop' },
  { title: 'deadline', cell: (one) => one.deadline },
  { title: 'reason', cell: (one) => one.reason },
  { title: 'notified', cell: (one) => one.notified?.message ?? '-', wide: true },
  { title: 'by', cell: (one) => one.estimateReason, wide: true },
];

const GATEWAYS: readonly Column<GatewayDrainProgress>[] = [
  { title: 'gateway', cell: (one) => one.node },
  { title: 'open', cell: (one) => String(one.remaining) },
  { title: 'estimate', cell: (one) => estimateOf(one) },
  { title: 'since', cell: (one) => one.since },
  { title: 'reason', cell: (one) => one.reason },
];

const isGateway = (kind: string): boolean => kindOf(kind) === 'gateway';

function tellGateways(gateways: readonly GatewayDrainProgress[], as: Format): void {
  print(format(gateways, GATEWAYS, (one) => one.node, as));
}

export function drainCommands(cli: Cli): void {
  const drain = cli.program
    .command('drain <kind> <name> [number]')
    .summary('send no new sessions to an instance, a version or a service, or let a gateway take none')
    .description(
      'Then it is stopped when its sessions have ended, or with --keep goes on running until `undrain`. A gateway goes on running; new connections are closed at once.',
    )
    .option('--keep', 'for maintenance: do not stop it afterwards')
    .option('--policy <policy>', 'wait, notify, close or notify-then-close (default: close at the deadline)')
    .option('--deadline <time>', "such as 30m (default: the service's)")
    .option('--notify <url>', "told of the drain, instead of the service's drain hook")
    .option('--reason <text>', 'shown with the drain');
  waitOptions(drain, { ready: false })
    .option('--dry-run', 'tell what would happen to open sessions')
    .option('-y, --yes', 'do not ask before open sessions end at once')
    .addHelpText(
      'after',
      '\nExamples:\n  switchboard drain instance weather-x2k9f --keep --reason "new disk"\n  switchboard drain version weather 3 --deadline 30m --dry-run\n  switchboard drain gateway gateway-1 --reason "new kernel"\n  switchboard drains',
    )
    .action(async (kind: string, name: string, number: string | undefined, flags: Flags) => {
      if (isGateway(kind)) {
        const { dryRun } = writeFlags(flags);
        const { gateways } = await cli.client().drainGateway(name, flags.reason, { dryRun: dryRun === true });
        if (dryRun === true) print(`gateway/${name} would take no new connections; its open sessions would go on\n`);
        else tellGateways(gateways, 'table');
        return;
      }
      const request: Partial<DrainRequest> = {
        ...(flags.policy === undefined ? {} : { policy: flags.policy as DrainPolicy }),
        ...(flags.keep === true ? { then: 'keep' } : {}),
        ...(flags.deadline === undefined ? {} : { deadline: flags.deadline }),
        ...(flags.notify === undefined ? {} : { notifyUrl: flags.notify }),
        ...(flags.reason === undefined ? {} : { reason: flags.reason }),
      };
      const client = cli.client();
      const target = targetOf(kind, name, number);
      const write = writeFlags(flags);
      const told = await confirmedEnds(flags, async () => client.drain(target, request, { dryRun: true }));
      tellWrite(await client.drain(target, request, write), told);
    });
  const undrain = cli.program
    .command('undrain <kind> <name> [number]')
    .summary('cancel a drain: new sessions are welcome again');
  waitOptions(undrain, { ready: false })
    .option('--dry-run', 'tell what would happen')
    .addHelpText('after', '\nExample:\n  switchboard undrain instance weather-x2k9f')
    .action(async (kind: string, name: string, number: string | undefined, flags: Flags) => {
      if (isGateway(kind)) {
        const { dryRun } = writeFlags(flags);
        await cli.client().undrainGateway(name, { dryRun: dryRun === true });
        print(`gateway/${name} ${dryRun === true ? 'would take' : 'takes'} new connections\n`);
        return;
      }
      tellWrite(await cli.client().undrain(targetOf(kind, name, number), writeFlags(flags)));
    });
  cli.program
    .command('drains')
    .summary('list the drains that are under way, with what is open still')
    .option('-o, --output <format>', 'table, wide, json, yaml or name', 'table')
    .addHelpText('after', '\nExample:\n  switchboard drains -o wide')
    .action(async ({ output }: { output: string }) => {
      const as = parseFormat(output);
      const { items, gateways } = await cli.client().drains();
      if (as !== 'table' && as !== 'wide') {
        print(format([...gateways, ...items], [], (one) => ('node' in one ? one.node : one.instance), as));
        return;
      }
      if (gateways.length > 0) tellGateways(gateways, as);
      if (items.length > 0) print(format(items, COLUMNS, (one) => one.instance, as));
      if (gateways.length + items.length === 0) print('nothing is drained\n');
    });
}
