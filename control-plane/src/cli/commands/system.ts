import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { SwitchboardError, messageOf } from '../../model/errors.ts';
import { wholeNumber, type Cli } from '../command.ts';
import { EXIT, Exit } from '../exit.ts';
import { greeting, offerCommand, waysToType } from '../greeting.ts';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../node-options.ts';
import { note, parseFormat, print, table, tint } from '../output.ts';
import { dataFolder, environment } from '../settings.ts';

const file = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

const PORT = wholeNumber(0, 65_535);

/** Flags of `up` and the variables that they set. */
const UP_FLAGS = {
  seed: 'SWITCHBOARD_SEED',
  gatewayPort: 'SWITCHBOARD_GATEWAY_PORT',
  apiPort: 'SWITCHBOARD_API_PORT',
  xdsPort: 'SWITCHBOARD_XDS_PORT',
  logLevel: 'SWITCHBOARD_LOG_LEVEL',
  log: 'SWITCHBOARD_LOG_FORMAT',
} as const;

/** Of 100 ms. */
const START_ROUNDS = 100;

/** `pid`: of the control plane that was started; another may answer there, which is the reason why this one ends. */
async function greet(cli: Cli, pid: number | undefined, ended: () => boolean): Promise<void> {
  for (let round = 0; round < 300 && !ended(); round += 1) {
    await sleep(100);
    try {
      const client = cli.local();
      if (!(await client.readyz()).ready) continue;
      const { gateway, api, controlPlane } = await client.status();
      if (controlPlane.pid !== pid) continue;
      const { items: services } = await client.services();
      // Named is what can be talked to, if that comes soon.
      if (round < START_ROUNDS && services.length > 0 && !services.some(({ status }) => status.state === 'ready'))
        continue;
      const folder = dataFolder(cli.flags());
      const given = cli.flags().data ?? environment['SWITCHBOARD_DATA'];
      const ways = waysToType(environment, given === undefined ? undefined : folder);
      // A link with a code is for whoever sits at the terminal, and for no log.
      const { code } = process.stderr.isTTY ? await client.signInCode() : {};
      const signIn =
        code === undefined
          ? { file: join(folder, 'admin.token') }
          : { link: `${api.url}/#sign-in=${code}`, minutes: 10 };
      note(greeting({ clients: gateway.url, console: api.url, signIn, services, ...ways }));
      const offer = process.stderr.isTTY ? offerCommand(environment, folder) : undefined;
      if (offer !== undefined) note(offer);
      return;
    } catch {
      // It is still starting.
    }
  }
}

async function child(
  program: string,
  args: readonly string[],
  env: Record<string, string | undefined>,
  onStart?: (pid: number | undefined, ended: () => boolean) => void,
): Promise<{ code: number; signal: NodeJS.Signals | null }> {
  const started = spawn(program, args, { stdio: 'inherit', env });
  let over = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Passing on what the terminal has sent to both already does no harm.
      started.kill(signal);
    });
  }
  onStart?.(started.pid, () => over);
  return new Promise((done, reject) => {
    started.once('error', reject);
    started.once('close', (code, signal) => {
      over = true;
      done({ code: code ?? EXIT.failure, signal });
    });
  });
}

export function systemCommands(cli: Cli): void {
  const { program } = cli;
  program
    .command('up')
    .summary('run the gateway in the foreground')
    .description(
      'Runs the control plane, which starts or finds again Envoy and the agents. Ended by Ctrl-C, they go on; `down` ends them too.',
    )
    .option('--seed <file...>', 'resources for an empty registry')
    .option('--gateway-port <port>', 'where clients connect', PORT)
    .option('--api-port <port>', 'API and console', PORT)
    .option('--xds-port <port>', 'where Envoy gets its configuration', PORT)
    .option('--log-level <level>', 'trace, debug, info, warn, error')
    .option('--log <format>', 'text, json, or auto: text on a terminal, else json')
    .addHelpText('after', '\nExample:\n  switchboard up --seed agents.yaml --gateway-port 9000')
    .action(async (options: Record<string, string | number | string[]>) => {
      const env: Record<string, string | undefined> = { ...NODE_ENVIRONMENT, ...environment };
      const { data } = cli.flags();
      if (data !== undefined) env['SWITCHBOARD_DATA'] = resolve(data);
      for (const [flag, variable] of Object.entries(UP_FLAGS)) {
        const value = options[flag];
        if (value !== undefined)
          env[variable] = Array.isArray(value) ? value.map((file) => resolve(file)).join(',') : String(value);
      }
      const { code, signal } = await child(
        process.execPath,
        [...NODE_FLAGS, file('main.ts')],
        env,
        (pid, ended) => void greet(cli, pid, ended),
      );
      if (code !== 0)
        note(
          `the control plane ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}; Envoy and agents that it had started go on: \`npm start\` finds them again, \`switchboard down\` ends them`,
        );
      if (code !== 0) throw new Exit(code);
    });
  program
    .command('status')
    .summary('addresses and processes of everything')
    .option('-o, --output <format>', 'table, json or yaml', 'table')
    .action(async (options: { output: string }) => {
      const { url, context = null, by } = cli.target();
      const client = cli.client();
      const status = await client.status();
      const waiting = (await client.services()).items.flatMap(({ name, status: { rollout } }) =>
        rollout?.phase === 'paused' ? [{ service: name, ...rollout }] : [],
      );
      const as = parseFormat(options.output);
      const all = { ...status, waiting, target: { context, url, by } };
      if (as === 'json') print(`${JSON.stringify(all, undefined, 2)}\n`);
      else if (as === 'yaml') print(stringify(all));
      else {
        const rows = [
          ['context', `${context ?? '-'} (${by})`],
          ['clients', status.gateway.url],
          ['api', status.api.url],
          [
            'control plane',
            `process ${status.controlPlane.pid}, revision ${status.revision}, since ${status.startedAt}`,
          ],
          [
            'envoy',
            `${status.envoy.version} ${tint(status.envoy.state)}, process ${status.envoy.pid ?? '-'}, ${status.envoy.restarts} restarts${status.envoy.adopted ? ', found running' : ''}${status.envoy.former === null ? '' : `; process ${status.envoy.former.pid} serves its sessions on ${status.envoy.former.until === null ? 'until they end' : `until ${status.envoy.former.until}`}`}`,
          ],
          ...status.envoy.outdated.map((one) => ['envoy', `${one}: holds after \`switchboard gateway restart\``]),
          ['sessions', `${status.sessions.open} open${status.sessions.settled ? '' : ' (not all known yet)'}`],
          ...waiting.map((one) => [
            'waits for you',
            `rollout of ${one.service} ${tint(one.phase)}: ${one.message}; see \`switchboard rollout status ${one.service}\``,
          ]),
          ['data', status.data],
          ...status.agents.map((agent) => [
            'agent',
            `${agent.instance} ${tint(agent.state)} ${agent.address ?? ''} ${agent.pid === null ? '' : `process ${agent.pid}`}`,
          ]),
        ];
        print(
          table(rows, [
            { title: 'what', cell: (row) => row[0] ?? '' },
            { title: 'is', cell: (row) => row[1] ?? '' },
          ]),
        );
      }
    });
  program
    .command('backup <file>')
    .summary('save a consistent copy of the store')
    .action(async (target: string) => {
      if (existsSync(target)) throw new SwitchboardError('conflict', `${target} exists already`);
      // Before the control plane makes its copy.
      const sink = await open(target, 'wx', 0o600).catch((cause: unknown) => {
        throw new SwitchboardError('invalid', `cannot write ${target}: ${messageOf(cause)}`, { cause });
      });
      const response = await cli.client().backup();
      if (response.body === null) throw new SwitchboardError('unavailable', 'the control plane sent nothing');
      await pipeline(Readable.fromWeb(response.body), sink.createWriteStream());
      note(`saved ${statSync(target).size} bytes to ${target}`);
    });
  program
    .command('restore <file>')
    .summary("put a backup in the store's place; the control plane must not run")
    .action(async (backup: string) => {
      const folder = dataFolder(cli.flags());
      const answers =
        existsSync(join(folder, 'runtime.json')) &&
        (await cli
          .local()
          .livez()
          .then(
            () => true,
            () => false,
          ));
      if (answers)
        throw new SwitchboardError('conflict', 'the control plane runs', {
          remedy: 'End it first (Ctrl-C or `switchboard down`).',
        });
      const { code } = await child(
        process.execPath,
        [file('store/restore-main.ts'), resolve(backup), join(folder, 'switchboard.db')],
        { ...environment },
      );
      if (code !== 0) throw new Exit(code);
    });
}
