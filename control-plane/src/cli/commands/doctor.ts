import { stringify } from 'yaml';
import type { Cli } from '../command.ts';
import { diagnose } from '../doctor.ts';
import { EXIT, Exit } from '../exit.ts';
import { parseFormat, print, table, tint } from '../output.ts';

export function doctorCommand(cli: Cli): void {
  cli.program
    .command('doctor')
    .summary('check everything, with a remedy for what is wrong')
    .description(
      'Looks at this machine (Node, Python, Envoy, ports, clock, open files), the data folder (permissions, free disk) and everything that runs. Changes nothing; ends with 7 when something is wrong.',
    )
    .option('-o, --output <format>', 'table, json or yaml', 'table')
    .addHelpText('after', '\nExamples:\n  switchboard doctor\n  switchboard doctor -o json')
    .action(async (options: { output: string }) => {
      const as = parseFormat(options.output);
      const checks = await diagnose(cli);
      if (as === 'json') print(`${JSON.stringify(checks, undefined, 2)}\n`);
      else if (as === 'yaml') print(stringify(checks));
      else
        print(
          table(checks, [
            { title: 'check', cell: (one) => one.name },
            { title: '', cell: (one) => tint(one.ok ? 'ok' : 'FAIL') },
            { title: 'found', cell: (one) => one.message },
            { title: 'remedy', cell: (one) => one.remedy },
          ]),
        );
      if (checks.some((one) => !one.ok)) throw new Exit(EXIT.unhealthy);
    });
}
