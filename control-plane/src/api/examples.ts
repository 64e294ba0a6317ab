/** Examples of answers for the OpenAPI document, by endpoint. */
import { RouteDocument } from '../model/route.ts';
import { ServiceDocument } from '../model/service.ts';
import type {
  EndedSession,
  InstanceView,
  RouteView,
  ServiceView,
  Session,
  SessionCount,
  SessionPage,
  WriteAnswer,
} from './types.ts';

const AT = '2026-11-25T04:00:00.000Z';

const SERVICE = {
  kind: 'Service',
  name: 'weather',
  labels: { team: 'sky' },
  spec: {
    launch: { command: ['python', 'server.py', '--host', '{host}', '--port', '{port}'] },
    replicas: 2,
    probe: { type: 'myagent' },
  },
};

const service: ServiceView = {
  ...ServiceDocument.parse(SERVICE),
  version: 3,
  createdAt: AT,
  updatedAt: AT,
  revision: 42,
  status: {
    state: 'ready',
    message: '2 of 2 instances are ready',
    ready: 2,
    wanted: 2,
    sessions: 17,
    url: 'ws://127.0.0.1:8800/agents/weather',
    rollout: null,
    conditions: [],
  },
  instances: ['weather-a2b3c', 'weather-x7y8z'],
};

const instance: InstanceView = {
  kind: 'Instance',
  id: 'weather-a2b3c',
  service: 'weather',
  version: 3,
  runtime: 'process',
  address: { host: '127.0.0.1', port: 9100 },
  tags: { tier: 'gold' },
  weight: 1,
  state: 'ready',
  reason: 'ProbePassed',
  message: 'is ready',
  since: AT,
  restarts: 0,
  failures: [],
  conditions: [],
  createdAt: AT,
  revision: 41,
  sessions: 9,
  health: null,
  usage: null,
};

const ROUTE = {
  kind: 'Route',
  name: 'chat',
  labels: {},
  spec: { match: { path: { prefix: '/chat' } }, target: { service: 'weather' }, rewrite: '/' },
};
const route: RouteView = {
  ...RouteDocument.parse(ROUTE),
  createdAt: AT,
  updatedAt: AT,
  revision: 40,
  status: {
    conditions: [{ type: 'Served', status: 'true', reason: 'Served', message: 'Envoy has it', since: AT }],
  },
};

const session: Session = {
  id: '85b4edb2-0d0d-4abe-92bc-7f5c9d8b5793',
  gateway: 'gateway-1',
  service: 'weather',
  version: 3,
  instance: 'weather-a2b3c',
  upstream: '127.0.0.1:9100',
  upstreamLocal: '127.0.0.1:36946',
  client: '192.0.2.7:37340',
  principal: null,
  path: '/agents/weather',
  userAgent: 'python-websockets/15',
  startedAt: AT,
  bytesReceived: 1840,
  bytesSent: 92_300,
  route: 'service/weather',
  policy: 'least-connections',
  reason: 'route service/weather leads to weather; least-connections chose weather-a2b3c of 2 ready',
};

const page: SessionPage<Session | EndedSession> = { items: [session], total: 1, unlisted: 0, settled: true };
const count: SessionCount = {
  total: 17,
  unlisted: 0,
  settled: true,
  by: 'instance',
  groups: [
    { key: 'weather-a2b3c', count: 9 },
    { key: 'weather-x7y8z', count: 8 },
  ],
};

const written = (
  name: string,
  kind: 'Service' | 'Route',
  path: string,
  before: unknown,
  after: unknown,
): WriteAnswer => ({
  revision: 43,
  dryRun: false,
  changes: [{ kind, name, action: 'updated', diff: [{ path, before, after }] }],
  impact: { endsNow: 0, drains: 0, instances: [] },
  warnings: [],
});
const ofService = written('weather', 'Service', 'spec.replicas', 2, 3);
const ofRoute = written('chat', 'Route', 'spec.enabled', true, false);

export const EXAMPLES: Readonly<Record<string, unknown>> = {
  'get /readyz': { ready: true, checks: [{ name: 'store', ok: true, message: 'takes writes; revision 42' }] },
  'get /v1/services': { items: [service], total: 1, revision: 42 },
  'get /v1/services/{name}': service,
  'put /v1/services/{name}': ofService,
  'patch /v1/services/{name}': ofService,
  'delete /v1/services/{name}': {
    ...ofService,
    changes: [{ kind: 'Service', name: 'weather', action: 'deleted', diff: [] }],
  },
  'post /v1/services/{name}/start': written('weather', 'Service', 'spec.enabled', false, true),
  'post /v1/services/{name}/stop': written('weather', 'Service', 'spec.enabled', true, false),
  'post /v1/services/{name}/scale': ofService,
  'get /v1/instances': { items: [instance], total: 1 },
  'get /v1/instances/{id}': instance,
  'get /v1/instances/{id}/load': {
    instance: 'weather-a2b3c',
    sessions: 9,
    probeLatencyMs: 2.1,
    cpuCores: 0.12,
    memoryBytes: 91_226_112,
  },
  'get /v1/instances/{id}/logs': { lines: [{ at: AT, stream: 'stdout', text: 'listening on 127.0.0.1:9100' }] },
  'get /v1/routes': { items: [route], total: 1 },
  'get /v1/routes/{name}': route,
  'put /v1/routes/{name}': ofRoute,
  'patch /v1/routes/{name}': ofRoute,
  'delete /v1/routes/{name}': { ...ofRoute, changes: [{ kind: 'Route', name: 'chat', action: 'deleted', diff: [] }] },
  'post /v1/apply': ofService,
  'get /v1/sessions': page,
  'get /v1/sessions/count': count,
  'get /v1/sessions/{id}': session,
};
