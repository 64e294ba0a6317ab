/**
 * The only reader of process.env and of the settings file. Later wins: defaults, `switchboard.yaml` (or the file that
 * SWITCHBOARD_SETTINGS names), then SWITCHBOARD_* variables. Returns a frozen Config or throws `invalid` with the field.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { splitAddress } from './model/address.ts';
import { ListenHost } from './model/listen-host.ts';
import { SwitchboardError, messageOf } from './model/errors.ts';
import { TrustedProxies } from './model/cidr.ts';
import { issuesOf } from './model/parse.ts';
import { OtlpSettings } from './model/otlp.ts';
import { PositiveDuration } from './model/units.ts';
import { SETTING_VARIABLES, unknownVariables } from './model/variables.ts';

const Port = z.int().min(0).max(65_535);

const DnsServer = z.string().refine((text) => {
  const { host, port } = splitAddress(text);
  // An IPv6 address without a port needs no brackets.
  return isIP(text) !== 0 || (isIP(host) !== 0 && (port === '' || Port.min(1).safeParse(Number(port)).success));
}, 'must be an IP address, with a port or without: 10.0.0.53, 10.0.0.53:5353, [fd00::53]:5353');

export const Settings = z
  .strictObject({
    /** Folder for everything that is kept: store, tokens, logs, instances' folders. */
    data: z.string().min(1).default('data'),
    /** Where clients connect. Port 0 picks a free one and keeps it. */
    gateway: z
      .strictObject({
        host: ListenHost.default('127.0.0.1'),
        port: Port.default(8800),
        /** Proxies before it whose word counts on whom they forward for (X-Forwarded-For, -Proto, -Host): addresses and ranges. */
        trustedProxies: TrustedProxies,
        /** One more port, for balancers of connections that begin each with the PROXY protocol (v1 or v2); absent: none. */
        proxyProtocol: z.strictObject({ host: ListenHost.optional(), port: Port.min(1) }).optional(),
      })
      .prefault({}),
    /** API and console. */
    api: z.strictObject({ host: ListenHost.default('127.0.0.1'), port: Port.default(8801) }).prefault({}),
    /** Where Envoy gets its configuration. */
    xds: z.strictObject({ host: ListenHost.default('127.0.0.1'), port: Port.default(8802) }).prefault({}),
    /** Between Envoy and the control plane. Each is renewed at two thirds of its life. */
    certificates: z.strictObject({ life: PositiveDuration.default('90d') }).prefault({}),
    /** How often each Envoy's own view is compared with what it was told. */
    drift: z.strictObject({ interval: PositiveDuration.default('60s') }).prefault({}),
    /** Of /metrics: without a token, or with one that is good for nothing else (beside the API's own). */
    metrics: z
      .strictObject({
        public: z.union([z.boolean(), z.stringbool()]).default(false),
        token: z.string().min(20).optional(),
        /** Counters and gauges of instances are told for each of them, not for each service: many more series. */
        perInstance: z.union([z.boolean(), z.stringbool()]).default(false),
      })
      .prefault({}),
    /** Metrics for an OpenTelemetry collector; default: none are sent. */
    telemetry: z.strictObject({ otlp: OtlpSettings.optional() }).prefault({}),
    /** Where agents at DNS names are looked up. */
    dns: z
      .strictObject({
        /** `ip` or `ip:port`, asked in this order; default: those of this machine. */
        servers: z.array(DnsServer).max(16).default([]),
      })
      .prefault({}),
    envoy: z
      .strictObject({
        /** The binary; default: `envoy` on PATH if its version is tested, else the one that the set-up installed. */
        path: z.string().min(1).optional(),
        /** Worker threads. */
        concurrency: z.int().min(1).max(256).default(2),
        logLevel: z.enum(['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off']).default('warning'),
        maxConnections: z.int().min(1).max(10_000_000).default(100_000),
        xds: z.enum(['delta', 'sotw']).default('delta'),
      })
      .prefault({}),
    agents: z
      .strictObject({
        host: ListenHost.default('127.0.0.1'),
        /** Ports for agents that Switchboard starts; each is checked free before use. */
        ports: z.tuple([Port.min(1), Port.min(1)]).default([9100, 9999]),
        logs: z
          .strictObject({ maxBytes: z.int().min(4096).default(10_485_760), files: z.int().min(1).max(100).default(3) })
          .prefault({}),
      })
      .prefault({}),
    /** Options of the runtimes, by name. */
    runtimes: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
    store: z
      .strictObject({
        type: z.string().min(1).default('sqlite'),
        options: z.record(z.string(), z.unknown()).default({}),
      })
      .prefault({}),
    log: z
      .strictObject({
        level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
        /** Lines for people (text) or for programs (json); auto: text on a terminal, else json. */
        format: z.enum(['auto', 'text', 'json']).default('auto'),
      })
      .prefault({}),
    /** Who changed what: the newest so many, and not older than this. */
    events: z
      .strictObject({
        most: z.int().min(100).max(100_000).default(5_000),
        keep: PositiveDuration.default('90d'),
      })
      .prefault({}),
    /** Resources that are applied when the registry is empty. */
    seed: z.array(z.string().min(1)).default([]),
    /** Modules that export descriptors of routing policies and probes. */
    plugins: z.array(z.string().min(1)).default([]),
  })
  .superRefine(({ gateway, api, xds, agents }, context) => {
    const refuse = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: path.split('.'), message });
    };
    const [low, high] = agents.ports;
    if (low > high) refuse('agents.ports', `the first port (${low}) is above the last (${high})`);
    const balanced = gateway.proxyProtocol?.port;
    const taken = { 'gateway.port': gateway.port, 'api.port': api.port, 'xds.port': xds.port };
    for (const [name, port] of Object.entries(taken))
      if (port === balanced) refuse('gateway.proxyProtocol.port', `${port} is ${name} too`);
    if (api.port !== 0 && api.port === gateway.port) refuse('api.port', `${api.port} is gateway.port too`);
    if (xds.port !== 0 && [gateway.port, api.port].includes(xds.port))
      refuse('xds.port', `${xds.port} is ${xds.port === api.port ? 'api' : 'gateway'}.port too`);
  });
export type Settings = z.infer<typeof Settings>;

export interface Config extends Readonly<Settings> {
  /** The settings file in use, if any. */
  readonly file: string | undefined;
  /** Absolute form of `data`. */
  readonly dataFolder: string;
  /** Relative paths in the settings start here. */
  readonly baseFolder: string;
  /** Variables that begin with SWITCHBOARD_ and that nothing here reads. */
  readonly unknownVariables: readonly string[];
  /** What agents' references (`fromEnv`) are read from. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const LISTS = new Set(['seed', 'plugins', 'dns.servers', 'gateway.trustedProxies']);

/** A variable's text as the JSON value the schema expects: numbers for ports, `a-b` for a range, commas for lists. */
function parseVariable(path: readonly string[], text: string): unknown {
  const field = path.join('.');
  if (LISTS.has(field)) return text === '' ? [] : text.split(',').map((part) => part.trim());
  if (field === 'agents.ports') return text.split('-').map(Number);
  return /^\d+$/.test(text) ? Number(text) : text;
}

function assign(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    target[head] = value;
    return;
  }
  const next = target[head] ?? {};
  // What is no mapping stays, to be refused as what it is.
  if (typeof next !== 'object' || Array.isArray(next)) return;
  const child: Record<string, unknown> = { ...next };
  assign(child, rest, value);
  target[head] = child;
}

function readSettings(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    if (cause instanceof TypeError)
      throw new SwitchboardError('invalid', `the settings file ${file} is not valid UTF-8`, { cause });
    throw new SwitchboardError('invalid', `cannot read the settings file ${file}: ${messageOf(cause)}`, { cause });
  }
  try {
    const value: unknown = parse(text, { merge: true }) ?? {};
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new SwitchboardError('invalid', `the settings file ${file} must hold a mapping of settings`);
    }
    return value as Record<string, unknown>;
  } catch (cause) {
    if (!(cause instanceof YAMLParseError)) throw cause;
    throw new SwitchboardError('invalid', `the settings file ${file} is not valid YAML: ${cause.message}`, { cause });
  }
}

export function loadConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  cwd = process.cwd(),
): Config {
  const unknown = unknownVariables(environment);
  const named = environment['SWITCHBOARD_SETTINGS'];
  const candidate = resolve(cwd, named ?? 'switchboard.yaml');
  const file = named !== undefined || existsSync(candidate) ? candidate : undefined;
  const raw = file === undefined ? {} : readSettings(file);
  const sources = new Map<string, string>();
  for (const [variable, path] of Object.entries(SETTING_VARIABLES)) {
    const text = environment[variable];
    if (text === undefined || text === '') continue;
    assign(raw, path, parseVariable(path, text));
    sources.set(path.join('.'), variable);
  }
  const result = Settings.safeParse(raw);
  if (!result.success) {
    const issues = issuesOf(result.error);
    const lines = issues.map((issue) => {
      const variable = [...sources].find(([path]) => issue.path === path || issue.path.startsWith(`${path}.`))?.[1];
      // Kubernetes sets such a variable for a Service whose name begins with `switchboard`.
      const isLink = variable !== undefined && environment[variable]?.startsWith('tcp://') === true;
      return `${variable ?? issue.path}: ${issue.message}${isLink ? ' (Kubernetes has set it for a Service: `enableServiceLinks: false` in the pod keeps it away)' : ''}`;
    });
    throw new SwitchboardError(
      'invalid',
      `bad settings${file === undefined ? '' : ` in ${file}`}: ${lines.join('; ')}`,
      { issues },
    );
  }
  const settings = result.data;
  const baseFolder = file === undefined ? cwd : dirname(file);
  return Object.freeze({
    ...settings,
    file,
    baseFolder,
    dataFolder: resolve(baseFolder, settings.data),
    unknownVariables: unknown,
    environment,
  });
}
