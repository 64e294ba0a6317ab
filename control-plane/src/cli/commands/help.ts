/** `help [command...]`, of the program and of each group. Commander's own shows the whole help for a name that it does not know. */
import type { Command } from 'commander';
import { offer } from '../../model/similar.ts';

const visible = (group: Command): string[] =>
  group.commands.map((one) => one.name()).filter((name) => !name.startsWith('__'));

export function helpCommand(group: Command): void {
  group
    .helpCommand(false)
    .command('help [command...]')
    .summary('show what a command does, and its options')
    .action((names: readonly string[]) => {
      let shown: Command = group;
      for (const name of names) {
        const below = shown.commands.find((one) => one.name() === name);
        if (below === undefined) {
          const { remedy } = offer(name, visible(shown));
          const hint = remedy === undefined ? '' : `\n(${remedy})`;
          shown.error(`error: unknown command '${name}'${hint}`, { code: 'commander.unknownCommand' });
        }
        shown = below;
      }
      shown.outputHelp();
    });
}
