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
import { durationFlag, type Cli } from '../command.ts';
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

/**
 * It listens where Envoy does already, whatever the settings say by now, and else at ports that nobody has: one that only ends things must not want for any.
 */
function portsOf(folder: string): Record<string, string> {
  const ports: Record<string, string> = { SWITCHBOARD_API_PORT: '0', SWITCHBOARD_XDS_PORT: '0' };
  try {
    const { client } = JSON.parse(readFileSync(join(folder, 'envoy', 'envoy.json'), 'utf8')) as {
      client?: { host: string; port: number };
    };
    if (client !== undefined)
      Object.assign(ports, { SWITCHBOARD_GATEWAY_HOST: client.host, SWITCHBOARD_GATEWAY_PORT: String(client.port) });
  } catch {
    // No Envoy is known there.
  }
  return { SWITCHBOARD_GATEWAY_PORT: '0', ...ports };
}

type Waiting = () => Promise<string> | string;

/** Says now and then what is waited for, and gives up. Error: `unavailable`. */
function patience(
  limitMs: number,
  giveUp: (waitedFor: string) => SwitchboardError,
): (waiting: Waiting) => Promise<void> {
  const start = Date.now();
  let saidAt = start;
  return async (waiting) => {
    const present = Date.now();
    if (present - start > limitMs) throw giveUp(await waiting());
    if (present - saidAt > SAY_EVERY_MS) {
      saidAt = present;
      note(`waiting for ${await waiting()}`);
    }
    await sleep(100);
  };
}

const SAY_EVERY_MS = 5_000;
const TAKES_OVER_MS = 60_000;
const READY_MS = 15_000;
/** Beside the drain: agents have seconds to end. */
const ENDS_MS = 60_000;

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
      ...portsOf(folder),
      SWITCHBOARD_DATA: folder,
    },
  });
  const started = Date.now();
  const wait = patience(TAKES_OVER_MS, (waitedFor) => {
    child.kill();
    return new SwitchboardError('unavailable', `gave up after ${TAKES_OVER_MS / 1_000} s: waited for ${waitedFor}`, {
      remedy: 'See the log lines above; what runs goes on as it is.',
    });
  });
  const over = { code: undefined as number | undefined };
  child.once('close', (code) => {
    over.code = code ?? EXIT.failure;
  });
  let waitedFor = `its API (process ${child.pid ?? 0})`;
  for (;;) {
    if (over.code !== undefined) throw new Exit(over.code === 0 ? EXIT.failure : over.code);
    try {
      const status = await cli.local().status();
      if (status.controlPlane.pid === child.pid) {
        const { ready, checks } = await cli.local().readyz();
        // What can't be served is no reason to go on running.
        if (ready || Date.now() - started > READY_MS) return status;
        waitedFor = checks
          .filter(({ ok }) => !ok)
          .map(({ name, message }) => `${name}: ${message}`)
          .join('; ');
      }
    } catch (error) {
      if (!isError(error, 'unavailable')) throw error;
    }
    await wait(() => waitedFor);
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

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function whatIsLeft(cli: Cli, pid: number): Promise<string> {
  try {
    const { sessions, agents } = await cli.local().status();
    const running = agents.filter((agent) => agent.pid !== null).length;
    return `${sessions.open} open sessions, and ${running} agents`;
  } catch {
    return `the control plane (process ${pid}) to end`;
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
      const ends = patience(
        durationFlag('--drain', drain) + ENDS_MS,
        () =>
          new SwitchboardError('unavailable', `the control plane (process ${controlPlane.pid}) has not ended in time`, {
            remedy: 'See its log; `switchboard status` shows what still runs.',
          }),
      );
      while (lives(controlPlane.pid)) await ends(async () => whatIsLeft(cli, controlPlane.pid));
      note('everything has ended');
    });
}
