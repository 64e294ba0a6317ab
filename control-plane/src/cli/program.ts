/** The command tree, and the one place where a command's outcome becomes lines on stderr and an exit code. */
import { Command, CommanderError } from 'commander';
import { createCli, type AddCommand, type Cli } from './cli.ts';
import { addApply } from './commands/apply.ts';
import { addBackup } from './commands/backup.ts';
import { addCompletion } from './commands/completion.ts';
import { addConnect } from './commands/connect.ts';
import { addDelete } from './commands/delete.ts';
import { addDescribe } from './commands/describe.ts';
import { addDiff } from './commands/diff.ts';
import { addDoctor } from './commands/doctor.ts';
import { addDown } from './commands/down.ts';
import { addGet } from './commands/get.ts';
import { addLogs } from './commands/logs.ts';
import { addRestart } from './commands/restart.ts';
import { addRestore } from './commands/restore.ts';
import { addRun } from './commands/run.ts';
import { addScale } from './commands/scale.ts';
import { addStart } from './commands/start.ts';
import { addStatus } from './commands/status.ts';
import { addStop } from './commands/stop.ts';
import { addUp } from './commands/up.ts';
import { addVersion } from './commands/version.ts';
import { EXIT, exitCodeOf } from './exit.ts';
import { errorLines } from './print-error.ts';
import type { GlobalOptions } from './settings.ts';

/** In the order of the help. */
const COMMANDS: readonly AddCommand[] = [
  addUp,
  addDown,
  addStatus,
  addDoctor,
  addApply,
  addDiff,
  addGet,
  addDescribe,
  addDelete,
  addStart,
  addStop,
  addRestart,
  addScale,
  addLogs,
  addRun,
  addConnect,
  addBackup,
  addRestore,
  addCompletion,
  addVersion,
];

export function createProgram(): { program: Command; cli: Cli } {
  const program = new Command('switchboard')
    .description('Runs, routes to and watches over fleets of WebSocket agent services.')
    .option('--url <url>', 'address of the API (SWITCHBOARD_URL; default: the one that runs in the data folder)')
    .option('--token <token>', 'who asks (SWITCHBOARD_TOKEN; default: admin.token in the data folder)')
    .option('--data <folder>', 'the data folder (SWITCHBOARD_DATA; default: ./data)')
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      [
        '',
        'Examples:',
        '  switchboard up                          start everything in the foreground',
        '  switchboard apply -f agent.yaml --wait  create or change services and routes',
        '  switchboard get services -w             see them, and how they change',
        '  switchboard connect weather             talk to an agent through the gateway',
        '',
        `Exit codes: 0 ok, 1 failure, 2 usage, 3 not found, 4 not allowed, 5 conflict, 6 a wait timed out, 7 unhealthy, 130 ^C.`,
      ].join('\n'),
    );
  const cli = createCli(() => program.opts<GlobalOptions>());
  for (const add of COMMANDS) add(program, cli);
  return { program, cli };
}

/** Runs one command line, without the program's name; gives the exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const { program, cli } = createProgram();
  try {
    await program.parseAsync([...args], { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    // commander has printed its own message by now; help and version end this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    for (const line of errorLines(error)) cli.terminal.note(line);
    // A command whose own codes have a meaning, such as diff, sets the code for its errors beforehand.
    return cli.exitCode === EXIT.ok ? exitCodeOf(error) : cli.exitCode;
  }
}
