import { styleText } from 'node:util';
import type { LogLine } from '../../api/types.ts';
import { isError } from '../../model/errors.ts';
import { untilInterrupted, type Cli } from '../command.ts';
import { print } from '../output.ts';

const COLOURS = ['cyan', 'magenta', 'yellow', 'green', 'blue'] as const;

export function logsCommand(cli: Cli): void {
  cli.program
    .command('logs <name>')
    .summary("show an instance's log, or those of all instances of a service")
    .option('-f, --follow', 'go on with what comes')
    .option('--tail <lines>', 'the last lines of each stream', Number, 100)
    .addHelpText('after', '\nExamples:\n  switchboard logs weather -f\n  switchboard logs weather-k3f9x --tail 20')
    .action(async (name: string, options: { follow?: boolean; tail: number }) => {
      const client = cli.client();
      const ofService = (await client.instances({ service: name })).items.map((one) => one.id);
      const ids = ofService.length > 0 ? ofService : [(await client.instance(name)).id];
      const show = (id: string, line: LogLine): void => {
        const colour = COLOURS[ids.indexOf(id) % COLOURS.length] ?? 'cyan';
        print(`${ids.length > 1 ? `${styleText(colour, id)} ` : ''}${line.text}\n`);
      };
      if (options.follow !== true) {
        for (const id of ids) for (const line of (await client.logs(id, options.tail)).lines) show(id, line);
        return;
      }
      const signal = untilInterrupted();
      await Promise.all(
        ids.map(async (id) => {
          try {
            for await (const { data } of client.followLogs(id, options.tail, signal)) show(id, data as LogLine);
          } catch (error) {
            if (!signal.aborted && !isError(error, 'not_found')) throw error;
          }
        }),
      );
    });
}
