/**
 * The environment variables that begin with SWITCHBOARD_, and what is one only by mistake. A name close to a known one is a slip of the keys, and
 * refused: what it was to set would be passed over. Any other unknown name is only told of: a newer set-up may have set it for a newer control
 * plane, which after a step back must start all the same, or a plugin or an agent may read it.
 */
import { SwitchboardError } from './errors.ts';
import { similar } from './similar.ts';

/** Variable to field of the settings. SWITCHBOARD_GATEWAY_PORT=0 and the like; values are parsed as the field's type. */
export const SETTING_VARIABLES: Readonly<Record<string, readonly string[]>> = {
  SWITCHBOARD_DATA: ['data'],
  SWITCHBOARD_GATEWAY_HOST: ['gateway', 'host'],
  SWITCHBOARD_GATEWAY_PORT: ['gateway', 'port'],
  SWITCHBOARD_GATEWAY_TRUSTED_PROXIES: ['gateway', 'trustedProxies'],
  SWITCHBOARD_GATEWAY_PROXY_PROTOCOL_PORT: ['gateway', 'proxyProtocol', 'port'],
  SWITCHBOARD_API_HOST: ['api', 'host'],
  SWITCHBOARD_API_PORT: ['api', 'port'],
  SWITCHBOARD_XDS_HOST: ['xds', 'host'],
  SWITCHBOARD_XDS_PORT: ['xds', 'port'],
  SWITCHBOARD_CERTIFICATES_LIFE: ['certificates', 'life'],
  SWITCHBOARD_DRIFT_INTERVAL: ['drift', 'interval'],
  SWITCHBOARD_METRICS_PUBLIC: ['metrics', 'public'],
  SWITCHBOARD_METRICS_TOKEN: ['metrics', 'token'],
  SWITCHBOARD_METRICS_PER_INSTANCE: ['metrics', 'perInstance'],
  SWITCHBOARD_OTLP_ENDPOINT: ['telemetry', 'otlp', 'endpoint'],
  SWITCHBOARD_OTLP_INTERVAL: ['telemetry', 'otlp', 'interval'],
  SWITCHBOARD_DNS_SERVERS: ['dns', 'servers'],
  SWITCHBOARD_ENVOY_PATH: ['envoy', 'path'],
  ENVOY_PATH: ['envoy', 'path'],
  SWITCHBOARD_ENVOY_CONCURRENCY: ['envoy', 'concurrency'],
  SWITCHBOARD_ENVOY_LOG_LEVEL: ['envoy', 'logLevel'],
  SWITCHBOARD_ENVOY_XDS: ['envoy', 'xds'],
  SWITCHBOARD_AGENTS_PORTS: ['agents', 'ports'],
  SWITCHBOARD_STORE: ['store', 'type'],
  SWITCHBOARD_LOG_LEVEL: ['log', 'level'],
  SWITCHBOARD_LOG_FORMAT: ['log', 'format'],
  SWITCHBOARD_SEED: ['seed'],
  SWITCHBOARD_PLUGINS: ['plugins'],
};

const PREFIX = 'SWITCHBOARD_';

/** What people set besides, without the prefix: for the control plane and the command line, the set-up, the tests. */
const BESIDES = [
  'SETTINGS',
  'URL',
  'TOKEN',
  'CONTEXT',
  'CACHE',
  'CHROMIUM',
  'CHAOS',
  'CHAOS_SECONDS',
  'SEED_NUMBER',
  'TEST_SESSIONS',
];
const SET_BY_PEOPLE = Object.keys(SETTING_VARIABLES)
  .filter((name) => name.startsWith(PREFIX))
  .map((name) => name.slice(PREFIX.length))
  .concat(BESIDES);

/** Set by the starter. */
const ALWAYS = new Set([...SET_BY_PEOPLE, 'REPOSITORY']);
/** What an agent and the commands beside it find in their environment, where this program may be run too. INSTANCE is always among it. */
const MARKS = new Set(['INSTANCE', 'FOLDER', 'SERVICE', 'VERSION', 'HOST', 'PORT', 'STOP_REASON']);

/** Kubernetes tells each container so of a Service whose name begins with `switchboard`. */
const isServiceLink = (rest: string, value: string): boolean =>
  /(^|_)SERVICE_(HOST|PORT)$|(^|_)SERVICE_PORT_\w+$|(^|_)PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$/.test(rest) ||
  /^(tcp|udp|sctp):\/\//.test(value);

const lower = new Map(SET_BY_PEOPLE.map((rest) => [rest.toLowerCase(), rest]));

/** Those that nothing here reads. Error: `invalid`, for one that nearly has the name of one that is read. */
export function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const byAgent = environment[`${PREFIX}INSTANCE`] !== undefined;
  return Object.entries(environment).flatMap(([name, value]) => {
    const rest = name.slice(PREFIX.length);
    if (!name.startsWith(PREFIX) || value === undefined || value === '') return [];
    if (ALWAYS.has(rest) || (byAgent && MARKS.has(rest)) || isServiceLink(rest, value)) return [];
    const meant = lower.get(similar(rest, lower.keys()) ?? '');
    if (meant === undefined) return [name];
    throw new SwitchboardError('invalid', `there is no environment variable ${name}`, {
      remedy: `Did you mean ${PREFIX}${meant}? If not, unset it: its name is too near to be passed over.`,
    });
  });
}
