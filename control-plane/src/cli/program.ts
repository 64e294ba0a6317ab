/** The command line as a whole. To add a command: a file in commands/, a line here. */
import { Command } from 'commander';
import { VERSION } from '../model/release.ts';
import { unknownVariables } from '../model/variables.ts';
import { createCli } from './command.ts';
import { applyCommands } from './commands/apply.ts';
import { autoscaleCommands } from './commands/autoscale.ts';
import { checkCommand } from './commands/check.ts';
import { completionCommand } from './commands/completion.ts';
import { connectCommand } from './commands/connect.ts';
import { contextCommands } from './commands/context.ts';
import { debugCommands } from './commands/debug.ts';
import { explainCommand } from './commands/explain.ts';
import { gatewayCommands } from './commands/gateway.ts';
import { eventsCommand } from './commands/events.ts';
import { doctorCommand } from './commands/doctor.ts';
import { downCommand } from './commands/down.ts';
import { drainCommands } from './commands/drain.ts';
import { getCommands } from './commands/get.ts';
import { helpCommand } from './commands/help.ts';
import { lifecycleCommands } from './commands/lifecycle.ts';
import { logsCommand } from './commands/logs.ts';
import { sessionCommands } from './commands/sessions.ts';
import { rolloutCommands } from './commands/rollout.ts';
import { rebalanceCommand } from './commands/rebalance.ts';
import { runCommand } from './commands/run.ts';
import { systemCommands } from './commands/system.ts';
import { topCommand } from './commands/top.ts';
import { versionCommand } from './commands/version.ts';
import { note } from './output.ts';
import { environment } from './settings.ts';

/** Of these the first answers a shell, where nobody would read it. */
const WITHOUT_ENVIRONMENT = ['__complete', 'completion', 'help'];

/** Its own help says what the list of commands says of it, where there is no more to say. */
function describeAll(group: Command): void {
  for (const command of group.commands) {
    const summary = command.summary();
    if (command.description() === '' && summary !== '')
      command.description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`).summary(summary);
    describeAll(command);
  }
}

export function createProgram(): Command {
  const program = new Command('switchboard')
    .description('Runs, routes to and watches over fleets of WebSocket agent services.')
    .version(VERSION, '-V, --version', 'of this command line; `version` also tells that of the control plane')
    .option('--url <url>', 'the API of the control plane (default: from the data folder)')
    .option('--token <token>', 'its token (default: from the data folder)')
    .option('--data <folder>', 'the data folder')
    .option('--context <name>', 'an installation that `context add` has named')
    .showHelpAfterError('(add --help for more)')
    .exitOverride()
    .addHelpText(
      'after',
      '\nExit codes: 0 ok, 1 failure, 2 usage or bad input, 3 not found, 4 token, 5 conflict, 6 timed out, 7 unhealthy.',
    );
  program.hook('preAction', (_, command) => {
    if (WITHOUT_ENVIRONMENT.includes(command.name())) return;
    for (const variable of unknownVariables(environment))
      note(`warning: the environment variable ${variable} sets nothing: a mistake, or for another version`);
  });
  const cli = createCli(program);
  systemCommands(cli);
  downCommand(cli);
  doctorCommand(cli);
  debugCommands(cli);
  applyCommands(cli);
  eventsCommand(cli);
  getCommands(cli);
  topCommand(cli);
  explainCommand(cli);
  gatewayCommands(cli);
  lifecycleCommands(cli);
  drainCommands(cli);
  rebalanceCommand(cli);
  checkCommand(cli);
  sessionCommands(cli);
  rolloutCommands(cli);
  autoscaleCommands(cli);
  logsCommand(cli);
  runCommand(cli);
  connectCommand(cli);
  contextCommands(cli);
  versionCommand(cli);
  completionCommand(cli);
  for (const group of [program, ...program.commands]) if (group.commands.length > 0) helpCommand(group);
  for (const command of program.commands) command.exitOverride();
  describeAll(program);
  return program;
}
