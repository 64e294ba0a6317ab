/** `switchboard rebalance`: shows how sessions are spread, and makes it even on request. */
import type { Balance, BalanceShare } from '../../model/balance.ts';
import { wholeNumber, type Cli } from '../command.ts';
import { format, note, parseFormat, print, type Column } from '../output.ts';

interface Flags {
  steer?: boolean;
  move?: boolean;
  stop?: boolean;
  rate?: number;
  most?: number;
  dryRun?: boolean;
  output: string;
}

const COLUMNS: readonly Column<BalanceShare>[] = [
  { title: 'instance', cell: (one) => one.instance },
  { title: 'weight', cell: (one) => String(one.weight) },
  { title: 'sessions', cell: (one) => String(one.sessions) },
  { title: 'even', cell: (one) => String(one.even) },
  { title: 'excess', cell: (one) => String(one.excess) },
];

function tell(balance: Balance, output: string): void {
  const as = parseFormat(output);
  if (as !== 'table' && as !== 'wide') {
    print(format([balance], [], (one) => one.service, as));
    return;
  }
  print(format(balance.shares, COLUMNS, (one) => one.instance, as));
  note(balance.isEven ? 'it is even' : `${balance.toMove} sessions would have to move`);
  note(`steer: ${balance.steering.reason}`);
  note(`move: ${balance.moving.reason}`);
  if (balance.running !== null) note(`under way (${balance.running.mode}): ${balance.running.message}`);
}

export function rebalanceCommand(cli: Cli): void {
  cli.program
    .command('rebalance <service>')
    .summary('show how sessions are spread over instances, and make it even')
    .description('Without --steer or --move it only shows. It stops by itself when it is even.')
    .option('--steer', 'new sessions go to those with fewer')
    .option('--move', "live sessions too, by the agent's own close hook")
    .option('--stop', 'end what is under way')
    .option('--rate <count>', 'moved a second at most (5)', wholeNumber(1))
    .option('--most <count>', 'moved in all at most (1000)', wholeNumber(1))
    .option('--dry-run', 'tell whether it could be done')
    .option('-o, --output <format>', 'table, json or yaml', 'table')
    .addHelpText('after', '\nExample:\n  switchboard rebalance weather --move --rate 2 --dry-run')
    .action(async (service: string, flags: Flags) => {
      const mode =
        flags.stop === true ? 'stop' : flags.move === true ? 'move' : flags.steer === true ? 'steer' : undefined;
      if (mode === undefined) {
        tell(await cli.client().balance(service), flags.output);
        return;
      }
      const { rate, most } = flags;
      const request = {
        mode,
        ...(rate === undefined ? {} : { rate }),
        ...(most === undefined ? {} : { most }),
        ...(flags.dryRun === true ? { dryRun: true } : {}),
      } as const;
      tell(await cli.client().rebalance(service, request), flags.output);
    });
}
