/**
 * What a newer client puts in where the answer of an older control plane lacks a field: one value a type of answer, in full, so that a new field without
 * such a value does not compile. An array's one element is the pattern of each element; a list that is missing is empty (fill-in.ts).
 */
import type { BalanceShare, Balance } from '../model/balance.ts';
import type { DrainProgress, GatewayDrainProgress } from '../model/drain.ts';
import type { GatewayConfig } from '../model/gateway.ts';
import type { HealthDetail } from '../model/health.ts';
import type { Rollout } from '../model/rollout.ts';
import type { SystemStatus } from '../model/system.ts';
import type {
  AutoscaleView,
  EndedSession,
  Explanation,
  GatewayView,
  HistoryAnswer,
  InstanceView,
  RolloutVersion,
  RolloutView,
  RouteView,
  ServiceView,
  Session,
  SessionCount,
  WriteAnswer,
} from './types.ts';

const EPOCH = new Date(0).toISOString();

export const STATUS: SystemStatus = {
  version: '',
  startedAt: EPOCH,
  revision: 0,
  controlPlane: { pid: 0, node: '' },
  gateway: { url: '', host: '', port: 0 },
  api: { url: '', host: '', port: 0 },
  xds: { host: '', port: 0 },
  data: '',
  envoy: {
    state: 'starting',
    pid: null,
    version: '',
    adopted: false,
    startedAt: null,
    restarts: 0,
    reason: '',
    former: null,
    outdated: [],
  },
  agents: [{ instance: '', service: '', state: 'unknown', pid: null, address: null }],
  sessions: { open: 0, settled: false },
};

/** Specs are documents that whoever reads them must take as they are. */
export const SERVICE: Pick<ServiceView, 'status' | 'instances' | 'labels'> = {
  labels: {},
  status: { state: 'starting', message: '', ready: 0, wanted: 0, sessions: 0, url: '', rollout: null, conditions: [] },
  instances: [],
};

export const INSTANCE: InstanceView = {
  kind: 'Instance',
  id: '',
  service: '',
  version: 0,
  runtime: '',
  tags: {},
  weight: 1,
  state: 'unknown',
  reason: '',
  message: '',
  since: EPOCH,
  restarts: 0,
  failures: [],
  conditions: [],
  createdAt: EPOCH,
  revision: 0,
  sessions: 0,
  health: null,
  usage: null,
};

export const ROUTE: Pick<RouteView, 'status'> = { status: { conditions: [] } };

export const GATEWAY: GatewayView = {
  node: '',
  cluster: '',
  zone: '',
  envoyVersion: '',
  connectedAt: EPOCH,
  variant: 'delta',
  ackedRevision: 0,
  types: {},
  behind: [],
  certificate: null,
  refusals: [{ type: '', name: '', message: '', since: EPOCH, owner: null }],
  conditions: [],
  drift: null,
};

export const LIVE_LISTS = { services: [SERVICE], instances: [INSTANCE], gateways: [GATEWAY] };

const ROLLOUT_VERSION: RolloutVersion = {
  number: 0,
  weight: null,
  instances: 0,
  ready: 0,
  draining: 0,
  sessions: 0,
  receiving: true,
  estimateMs: null,
  estimateReason: '',
};
type RolloutFigures = Pick<Rollout, 'stage' | 'weight' | 'ready' | 'reason' | 'message' | 'measurements' | 'looks'>;
export const ROLLOUT: RolloutFigures & Pick<RolloutView, 'revision' | 'stages' | 'versions'> = {
  stage: 0,
  weight: 0,
  ready: 0,
  reason: '',
  message: '',
  measurements: [],
  looks: 0,
  revision: 0,
  stages: [],
  versions: [ROLLOUT_VERSION],
};

const SESSION: Session = {
  id: '',
  gateway: '',
  service: '',
  version: null,
  instance: null,
  upstream: '',
  upstreamLocal: '',
  client: '',
  principal: null,
  path: '',
  userAgent: '',
  startedAt: EPOCH,
  bytesReceived: 0,
  bytesSent: 0,
  route: '',
  policy: null,
  reason: '',
};
const ENDED: EndedSession = {
  ...SESSION,
  endedAt: EPOCH,
  durationMs: 0,
  endedBy: 'unknown',
  how: 'NotTold',
  why: '',
  details: '',
};
const page = <T>(item: T): { items: T[]; total: number; unlisted: number; settled: boolean } => ({
  items: [item],
  total: 0,
  unlisted: 0,
  settled: true,
});
export const SESSIONS = page(SESSION);
export const ENDED_SESSIONS = page(ENDED);

export const HEALTH: HealthDetail = {
  verdict: 'unknown',
  reason: '',
  latencyMs: 0,
  checkedAt: EPOCH,
  consecutiveFailures: 0,
  since: EPOCH,
  gateway: 'unknown',
  levels: [{ level: 'process', state: 'unknown', reason: '', latencyMs: null, checkedAt: null, source: '' }],
  checks: [{ name: '', type: '', effect: 'unhealthy', verdict: 'unknown', consecutiveFailures: 0, history: [] }],
  verdicts: [],
};

export const AUTOSCALE: Pick<AutoscaleView, 'scale' | 'decisions'> = { scale: null, decisions: [] };

const SHARE: BalanceShare = { instance: '', weight: 1, sessions: 0, even: 0, excess: 0 };
export const BALANCE: Balance = {
  service: '',
  sessions: 0,
  ratio: null,
  isEven: true,
  toMove: 0,
  shares: [SHARE],
  steering: { possible: false, reason: '' },
  moving: { possible: false, reason: '' },
  running: null,
};

const ESTIMATE = { remaining: 0, estimateMs: null, estimateReason: '' };
const DRAIN: DrainProgress = {
  ...ESTIMATE,
  instance: '',
  service: '',
  state: 'draining',
  reason: '',
  since: EPOCH,
  deadline: EPOCH,
  stopGrace: '0s',
};
const GATEWAY_DRAIN: GatewayDrainProgress = { ...ESTIMATE, node: '', since: EPOCH, reason: '' };
export const DRAINS = { items: [DRAIN], gateways: [GATEWAY_DRAIN] };

export const COUNT: SessionCount = { total: 0, unlisted: 0, settled: true, by: '', groups: [] };

export const WRITE: WriteAnswer = {
  revision: 0,
  dryRun: false,
  changes: [{ kind: 'Service', name: '', action: 'unchanged', diff: [] }],
  impact: { endsNow: 0, drains: 0, instances: [] },
  warnings: [],
};

export const CONFIG: Pick<GatewayConfig, 'sent'> & { difference: NonNullable<GatewayConfig['difference']> } = {
  sent: [{ name: '', state: '', version: '', sent: '', acked: '', revision: 0, sentAt: null, answeredAt: null }],
  difference: { onlySent: [], onlyEnvoy: [], differ: [] },
};

export const EXPLANATION: Explanation = {
  route: { name: '', conditions: [], passedOver: [] },
  target: null,
  destinations: [
    {
      service: '',
      share: 1,
      policy: { type: '', about: '', problem: null },
      affinity: null,
      candidates: [{ instance: '', eligible: true, sessions: null, share: 0, reason: '' }],
    },
  ],
  outcome: '',
};

export const HISTORY: HistoryAnswer = {
  from: EPOCH,
  to: EPOCH,
  stepSeconds: 1,
  series: [{ metric: '', unit: '', stat: '', labels: {}, values: [] }],
  distributions: [{ metric: '', unit: '', labels: {}, count: 0, buckets: [] }],
  gaps: [],
  truncated: 0,
};
