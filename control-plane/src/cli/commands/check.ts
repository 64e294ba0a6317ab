/** `switchboard check`: looks at an instance, or at all of a service, now, and tells each level with its reason. */
import type { HealthDetail, LevelReport } from '../../model/health.ts';
import { isError } from '../../model/errors.ts';
import { takesSessions } from '../../model/takes-sessions.ts';
import { instancesNamed, type Cli } from '../command.ts';
import { EXIT, Exit } from '../exit.ts';
import { age, format, note, parseFormat, print, tint, type Column } from '../output.ts';

const LEVELS: readonly Column<LevelReport>[] = [
  { title: 'level', cell: (one) => one.level },
  { title: 'state', cell: (one) => tint(one.state) },
  { title: 'ms', cell: (one) => (one.latencyMs === null ? '-' : String(one.latencyMs)) },
  { title: 'age', cell: (one) => (one.checkedAt === null ? '-' : age(one.checkedAt, Date.now())) },
  { title: 'by', cell: (one) => (one.source === '' ? '-' : one.source) },
  { title: 'reason', cell: (one) => one.reason },
];

function tell(id: string, detail: HealthDetail): void {
  print(`${id} ${tint(detail.verdict)} for ${age(detail.since, Date.now())}: ${detail.reason}\n`);
  print(format(detail.levels, LEVELS, (one) => one.level, 'table'));
}

export function checkCommand(cli: Cli): void {
  cli.program
    .command('check <name>')
    .summary('check an instance, or all instances of a service, now')
    .option('-o, --output <format>', 'table, json or yaml', 'table')
    .addHelpText(
      'after',
      '\nExit code 7 if one is unhealthy or gets no sessions from the gateway.\n\nExample:\n  switchboard check weather',
    )
    .action(async (name: string, options: { output: string }) => {
      const as = parseFormat(options.output);
      const client = cli.client();
      const { ids } = await instancesNamed(client, name);
      const found: { instance: string; detail: HealthDetail }[] = [];
      for (const instance of ids) {
        try {
          found.push({ instance, detail: await client.check(instance) });
        } catch (error) {
          // One that is starting or stopping is not looked at; the others are.
          if (!isError(error, 'unavailable') || ids.length === 1) throw error;
          note(error.message);
        }
      }
      if (as === 'table' || as === 'wide') for (const { instance, detail } of found) tell(instance, detail);
      else print(format(found, [], (one) => one.instance, as));
      if (found.some(({ detail }) => !takesSessions(detail))) throw new Exit(EXIT.unhealthy);
    });
}
