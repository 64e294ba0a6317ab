/** The end of everything. What goes on by itself after Ctrl-C or a kill of the control plane is ended too: by one that finds it again. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isAlive } from '../../home/process-identity.ts';
import { SwitchboardError, isError } from '../../model/errors.ts';
import type { ProcessIdentity } from '../../model/instance.ts';
import type { SystemStatus } from '../../model/system.ts';
import type { Cli } from '../command.ts';
import { EXIT, Exit } from '../exit.ts';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../node-options.ts';
import { note } from '../output.ts';
import { dataFolder, environment } from '../settings.ts';

/** Whether the process of a record, Envoy's or an agent's, is there. */
function runs(record: string): boolean {
  try {
    return isAlive((JSON.parse(readFileSync(record, 'utf8')) as { process: ProcessIdentity }).process);
  } catch {
    return false;
  }
}

/** Whether there are processes that a control plane of this folder would find again. */
function leftBehind(folder: string): boolean {
  const instances = join(folder, 'instances');
  return (
    runs(join(folder, 'envoy', 'envoy.json')) ||
    (existsSync(instances) && readdirSync(instances).some((id) => runs(join(instances, id, 'process.json'))))
  );
}

/** Starts a control plane on the folder, which takes over what runs. Error: `Exit` with its code when it ends; it has said why. */
async function takeOver(cli: Cli, folder: string): Promise<SystemStatus> {
  note('the control plane does not run; starting it to end what it has left behind');
  const main = fileURLToPath(new URL('../../main.ts', import.meta.url));
  const child = spawn(process.execPath, [...NODE_FLAGS, main], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...NODE_ENVIRONMENT,
      SWITCHBOARD_LOG_LEVEL: 'warn',
      ...environment,
      SWITCHBOARD_DATA: folder,
    },
  });
  const over = { code: undefined as number | undefined };
  child.once('close', (code) => {
    over.code = code ?? EXIT.failure;
  });
  for (;;) {
    if (over.code !== undefined) throw new Exit(over.code === 0 ? EXIT.failure : over.code);
    try {
      const status = await cli.local().status();
      if (status.controlPlane.pid === child.pid && (await cli.local().readyz()).ready) return status;
    } catch (error) {
      if (!isError(error, 'unavailable')) throw error;
    }
    await sleep(100);
  }
}

async function running(cli: Cli): Promise<SystemStatus> {
  try {
    return await cli.local().status();
  } catch (error) {
    const folder = dataFolder(cli.flags());
    const elsewhere = cli.flags().url ?? cli.flags().context ?? environment['SWITCHBOARD_URL'];
    if (!isError(error, 'unavailable') || elsewhere !== undefined) throw error;
    if (leftBehind(folder)) return takeOver(cli, folder);
    throw new SwitchboardError('unavailable', `nothing runs with the data folder ${folder}`, {
      remedy: 'Name another with --data or SWITCHBOARD_DATA.',
    });
  }
}

export function downCommand(cli: Cli): void {
  cli.program
    .command('down')
    .summary('end agents, Envoy and control plane')
    .description(
      'Ends all that runs with the data folder, also when the control plane alone was ended or killed before. Open sessions are waited for.',
    )
    .option('--drain <duration>', 'how long open sessions may go on', '30s')
    .option('--now', 'end open sessions at once')
    .addHelpText('after', '\nExamples:\n  switchboard down --drain 10m\n  switchboard down --now')
    .action(async (options: { drain: string; now?: boolean }) => {
      const { sessions, controlPlane } = await running(cli);
      const drain = options.now === true ? '0s' : options.drain;
      note(
        sessions.open === 0
          ? 'no session is open'
          : `${sessions.open} open sessions ${drain === '0s' ? 'end now' : `may go on for ${drain}`}`,
      );
      await cli.local().shutdown(drain);
      for (;;) {
        try {
          process.kill(controlPlane.pid, 0);
        } catch {
          break;
        }
        await sleep(100);
      }
      note('everything has ended');
    });
}
