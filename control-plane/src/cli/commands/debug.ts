/** What somebody else needs to find out what is wrong, as one file without secrets. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { SwitchboardError } from '../../model/errors.ts';
import { archive, writeWhole } from '../bundle/archive.ts';
import { collect } from '../bundle/collect.ts';
import type { Cli } from '../command.ts';
import { bytes, note, print } from '../output.ts';

export function debugCommands(cli: Cli): void {
  const debug = cli.program.command('debug').summary('what helps others to help you');
  debug
    .command('bundle [file]')
    .summary('everything about an installation in one .tar.gz, without secrets')
    .description(
      "Status, resources, what each gateway runs, the last hour's events and metrics, the doctor's findings, ends of logs, versions. Values of variables, tokens, keys, certificates and secret headers are taken out; look through it all the same before you pass it on. What can't be had, as when the control plane is down, is named in it.",
    )
    .option('--all-logs', 'also logs of agents whose secrets are not known here, and so could not be taken out')
    .option('--force', 'overwrite the file')
    .addHelpText(
      'after',
      '\nExamples:\n  switchboard debug bundle\n  switchboard --context prod debug bundle prod.tar.gz',
    )
    .action(async (given: string | undefined, flags: { allLogs?: boolean; force?: boolean }) => {
      const { allLogs = false, force = false } = flags;
      const at = new Date();
      const name = `switchboard-debug-${at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')}`;
      const file = resolve(given ?? `${name}.tar.gz`);
      // Before a minute of collecting, and again when it is written.
      if (existsSync(file) && !force)
        throw new SwitchboardError('conflict', `${file} is there already`, {
          remedy: 'Name another file, or overwrite it with --force.',
        });
      const { entries, missing } = await collect(cli, allLogs, (part) => {
        note(`without ${part.name}: ${part.reason}`);
      });
      const content = await archive(name, entries, at);
      writeWhole(file, content, force);
      print(`${file}\n`);
      note(
        `${entries.length} files, ${bytes(content.length)}${missing.length === 0 ? '' : `; ${missing.length} could not be had`}. Look through it before you pass it on.`,
      );
    });
  for (const command of debug.commands) command.exitOverride();
}
