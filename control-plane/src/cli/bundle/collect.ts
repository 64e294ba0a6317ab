/** What goes into a debug bundle. Each part is asked for by itself: one that can't be had does not keep the others out. */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { availableParallelism, freemem, loadavg, platform, release, totalmem, uptime, version } from 'node:os';
import { parse } from 'yaml';
import type { ApiClient } from '../../api/client.ts';
import type { ServiceView } from '../../api/types.ts';
import { messageOf } from '../../model/errors.ts';
import type { SystemStatus } from '../../model/system.ts';
import type { Cli } from '../command.ts';
import { diagnose } from '../doctor.ts';
import { everyPage } from '../pages.ts';
import { dataFolder, environment, settingsPath, type Target } from '../settings.ts';
import type { Entry } from './archive.ts';
import { createScrub, redactJson, secretsIn } from './redact.ts';
import { lookup, readText, secretsOfAgents, secretsOfServices } from './secrets.ts';

/** Of each log that much of its end. */
const LOG_BYTES = 512 * 1024;
const LOG_LINES = 2_000;
/** Agents whose logs go in; those that are not well come first. */
const MOST_AGENTS = 100;
const SINCE = '1h';
/** The API takes this many metrics at a time. */
const METRICS_AT_ONCE = 16;

export interface Missing {
  readonly name: string;
  readonly reason: string;
}

export interface Collected {
  readonly entries: readonly Entry[];
  readonly missing: readonly Missing[];
}

type Part = readonly [name: string, read: () => unknown];

const pretty = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** The end of a file, from the start of a line on. */
function tailOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const start = Math.max(0, size - LOG_BYTES);
    const content = Buffer.alloc(size - start);
    const read = readSync(file, content, 0, content.length, start);
    const text = content.toString('utf8', 0, read);
    return start === 0 ? text : `(the last ${LOG_BYTES} bytes)\n${text.slice(text.indexOf('\n') + 1)}`;
  } finally {
    closeSync(file);
  }
}

function listing(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((one) => {
      const path = join(one.parentPath, one.name);
      const { mode, size, mtime } = statSync(path, { throwIfNoEntry: false }) ?? {
        mode: 0,
        size: 0,
        mtime: new Date(0),
      };
      return `${(mode & 0o7777).toString(8).padStart(4, '0')} ${String(size).padStart(12)} ${mtime.toISOString()} ${relative(folder, path)}${one.isDirectory() ? '/' : ''}`;
    })
    .join('\n')
    .concat('\n');
}

async function machine(cli: Cli): Promise<object> {
  const { findEnvoy } = await import('@switchboard/envoy');
  return {
    switchboard: cli.program.version(),
    node: process.version,
    envoy: await findEnvoy({ environment }).catch((error: unknown) => ({ missing: messageOf(error) })),
    system: { platform: platform(), release: release(), version: version(), uptimeSeconds: Math.round(uptime()) },
    processors: availableParallelism(),
    load: loadavg(),
    memory: { total: totalmem(), free: freemem() },
    // Their values may be secrets; most are in what the control plane says of itself.
    variables: Object.keys(environment).filter((name) => name.startsWith('SWITCHBOARD_') || name === 'ENVOY_PATH'),
  };
}

async function timeseries(client: ApiClient): Promise<unknown[]> {
  const names = (await client.metrics()).items.map(({ name }) => name);
  const answers: unknown[] = [];
  for (let start = 0; start < names.length; start += METRICS_AT_ONCE) {
    const metric = names.slice(start, start + METRICS_AT_ONCE).join(',');
    answers.push(await client.timeseries({ metric, by: 'service', from: SINCE, limit: 500 }));
  }
  return answers;
}

const services = async (client: ApiClient) =>
  everyPage(async (cursor) => client.services(cursor === undefined ? {} : { cursor }));
const instances = async (client: ApiClient) =>
  everyPage(async (cursor) => client.instances(cursor === undefined ? {} : { cursor }));
const routes = async (client: ApiClient) =>
  everyPage(async (cursor) => client.routes(cursor === undefined ? {} : { cursor }));

const fromApi = (client: ApiClient): readonly Part[] => [
  ['status.json', async () => client.status()],
  ['ready.json', async () => client.readyz()],
  ['resources/services.json', async () => services(client)],
  ['resources/instances.json', async () => instances(client)],
  ['resources/routes.json', async () => routes(client)],
  ['resources/rollouts.json', async () => client.rollouts()],
  ['drains.json', async () => client.drains()],
  ['certificates.json', async () => client.certificates()],
  ['sessions-by-instance.json', async () => client.countSessions('instance')],
  ['events.ndjson', async () => (await client.exportEvents({ since: SINCE })).text()],
  ['metrics.txt', async () => client.scrape()],
  ['timeseries.json', async () => timeseries(client)],
  ['logs/control-plane.log', async () => (await client.controlPlaneLog(LOG_LINES)).lines.join('\n').concat('\n')],
  ['gateways/gateways.json', async () => client.gateways()],
];

/** What there is one of for each service, gateway and agent. */
async function perResource(client: ApiClient): Promise<Part[]> {
  const parts: Part[] = [];
  for (const { name, spec } of await services(client)) {
    parts.push([`resources/versions/${name}.json`, async () => client.versions(name)]);
    if (spec.autoscale !== undefined)
      parts.push([`resources/autoscale/${name}.json`, async () => client.autoscale(name)]);
  }
  for (const { node } of (await client.gateways()).items)
    for (const type of ['cds', 'eds', 'lds', 'rds', 'ecds', 'sds'])
      parts.push([`gateways/${node}/${type}.json`, async () => client.gatewayConfig(node, type)]);
  return parts;
}

async function agentsIn(client: ApiClient): Promise<{ id: string; of: string; part: Part }[]> {
  const all = (await instances(client)).sort((a, b) => Number(a.state === 'ready') - Number(b.state === 'ready'));
  return all
    .slice(0, MOST_AGENTS)
    .filter(({ runtime }) => runtime !== 'external')
    .map(({ id, service }) => ({
      id,
      of: service,
      part: [
        `logs/agents/${id}.log`,
        async () => (await client.logs(id, LOG_LINES)).lines.map(({ stream, text }) => `${stream} ${text}\n`).join(''),
      ],
    }));
}

const fromFolder = (folder: string): readonly Part[] => [
  ['data-folder.txt', () => listing(folder)],
  ['logs/envoy.log', () => tailOf(join(folder, 'envoy/envoy.log'))],
  ['gateways/bootstrap.json', () => JSON.parse(readFileSync(join(folder, 'envoy/bootstrap.json'), 'utf8')) as unknown],
];

/** Where the control plane does not answer agents' logs are read where they lie. */
function agentsBelow(folder: string): { id: string; of: string; part: Part }[] {
  const ids = existsSync(folder) ? readdirSync(folder).slice(0, MOST_AGENTS) : [];
  return ids.flatMap((id) =>
    ['stdout', 'stderr'].map((stream): { id: string; of: string; part: Part } => ({
      id,
      of: id,
      part: [`logs/agents/${id}.${stream}.log`, () => tailOf(join(folder, id, `${stream}.log`))],
    })),
  );
}

/** `allLogs`: also of agents whose secrets can't be known here. `tell` gets each part that could not be had. */
export async function collect(cli: Cli, allLogs: boolean, tell: (missing: Missing) => void): Promise<Collected> {
  const found: { name: string; value: unknown }[] = [];
  const missing: Missing[] = [];
  const miss = (name: string, error: unknown): void => {
    missing.push({ name, reason: messageOf(error) });
    tell({ name, reason: messageOf(error) });
  };
  async function take(parts: readonly Part[]): Promise<void> {
    for (const [name, read] of parts) {
      try {
        found.push({ name, value: await read() });
      } catch (error) {
        miss(name, error);
      }
    }
  }

  let target: Target | undefined;
  let status: SystemStatus | undefined;
  let client: ApiClient | undefined;
  try {
    target = cli.target();
    client = cli.client();
    status = await client.status();
    await take(fromApi(client));
    await take(await perResource(client));
  } catch (error) {
    miss(status === undefined ? 'everything that the control plane tells' : 'some resources', error);
  }
  const here = target?.local !== false;
  const folder = status === undefined ? dataFolder(cli.flags()) : status.data;
  const settings = settingsPath();
  await take([
    ['doctor.json', async () => diagnose(cli)],
    ['machine.json', async () => machine(cli)],
    ...(here ? fromFolder(folder) : []),
    ...(here && settings !== undefined
      ? [['settings.json', () => parse(readFileSync(settings, 'utf8')) as unknown] as const]
      : []),
  ]);
  if (!here) miss('data folder, log of Envoy', 'they are on another machine: run this there too');

  const find = lookup(here ? status?.controlPlane.pid : undefined);
  const agents =
    client !== undefined && status !== undefined
      ? await agentsIn(client)
      : here
        ? agentsBelow(join(folder, 'instances'))
        : [];
  const known =
    status === undefined
      ? secretsOfAgents(join(folder, 'instances'), [...new Set(agents.map(({ id }) => id))])
      : secretsOfServices(documentsByService(found), find);
  for (const { id, of, part } of agents) {
    if (allLogs || !known.unknown.has(of)) await take([part]);
    else
      miss(
        part[0],
        status === undefined
          ? `the secrets that ${id} may tell can not be known while the control plane is down (--all-logs takes its log in all the same)`
          : `service ${of} refers to secrets whose values are not known here, so they could not be taken out (--all-logs takes its log in all the same)`,
      );
  }

  const own = ['admin.token', 'affinity.key'].map((name) => readText(join(folder, name))?.trim());
  const variables = ['SWITCHBOARD_TOKEN', 'SWITCHBOARD_METRICS_TOKEN'].map((fromEnv) => find({ fromEnv }));
  const others = secretsIn(
    found.map(({ value }) => value),
    find,
  ).values;
  const scrub = createScrub(
    [target?.token, ...own, ...variables, ...known.values, ...others].filter((one) => one !== undefined),
  );
  const entries = found.map(({ name, value }) => ({
    name,
    text: scrub(typeof value === 'string' ? value : pretty(redactJson(value))),
  }));
  const about = {
    about: 'switchboard debug bundle; what looks like a secret was taken out',
    createdAt: new Date().toISOString(),
    target: target === undefined ? null : { url: target.url, context: target.context ?? null, by: target.by },
    since: SINCE,
    files: entries.map(({ name, text }) => ({ name, bytes: Buffer.byteLength(text) })),
    missing,
  };
  return { entries: [{ name: 'bundle.json', text: scrub(pretty(about)) }, ...entries], missing };
}

/** Services with their versions, which may refer to other secrets. */
function documentsByService(found: readonly { name: string; value: unknown }[]): Map<string, unknown[]> {
  const documents = new Map<string, unknown[]>();
  for (const { name, value } of found) {
    if (name === 'resources/services.json')
      for (const service of value as ServiceView[]) documents.set(service.name, [service]);
    const version = /^resources\/versions\/(.+)\.json$/.exec(name)?.[1];
    if (version !== undefined) documents.get(version)?.push(value);
  }
  return documents;
}
