/** What the API answers beyond the model's own types: shared with the client, the CLI and the console. */
import type { Autoscale, Scale, ScaleDecision } from '../model/autoscale.ts';
import type { ErrorCode } from '../model/errors.ts';
import type { DriftReport, Refusal } from '../model/gateway.ts';
import type { HealthReport } from '../model/health.ts';
import type { Instance } from '../model/instance.ts';
import type { Condition } from '../model/meta.ts';
import type { Rollout } from '../model/rollout.ts';
import type { Route } from '../model/route.ts';
import type { Service } from '../model/service.ts';
import type { ReadinessCheck, SystemStatus } from '../model/system.ts';
import type { WriteResult } from '../model/write.ts';
import type { AckReport, GatewaySync } from '../xds/status.ts';

export type { Explanation } from '../routing/explain.ts';
export type { AckReport, GatewaySync } from '../xds/status.ts';
export type { HistoryAnswer } from '../history/answer.ts';
export type { EndedSession, Session } from '../telemetry/session.ts';
export type { Replay } from '../scaling/replay.ts';
export type { LogLine } from '../runtime/runtime.ts';

export interface GatewayView extends GatewaySync {
  /** The certificate that it showed last; null: none yet. */
  readonly certificate: { readonly serial: string; readonly notAfter: string } | null;
  /** Resources that it refuses: it goes on with their last good form. */
  readonly refusals: readonly Refusal[];
  /** InSync false (Refused, Behind), Drift true; empty: all is well. */
  readonly conditions: readonly Condition[];
  /** Of the last comparison with Envoy's own view; null: none yet. */
  readonly drift: DriftReport | null;
}

export type ServiceState = 'ready' | 'degraded' | 'starting' | 'stopped' | 'failed' | 'draining';

export interface ServiceView extends Service {
  readonly revision: number;
  readonly status: {
    readonly state: ServiceState;
    /** One sentence. */
    readonly message: string;
    readonly ready: number;
    readonly wanted: number;
    readonly sessions: number;
    /** Where clients connect. */
    readonly url: string;
    /** What speaks against it, such as a gateway's refusal; empty: nothing. */
    readonly conditions: readonly Condition[];
  };
  readonly instances: readonly string[];
}

export type InstanceView = Instance & {
  readonly revision: number;
  readonly sessions: number;
  readonly health: HealthReport | null;
  /** What its processes use, sampled every few seconds; null: not known, or not yet. */
  readonly usage: { readonly cpuCores: number; readonly memoryBytes: number } | null;
};
export type RouteView = Route & {
  readonly revision: number;
  readonly status: { readonly conditions: readonly Condition[] };
};
export interface AutoscaleView {
  readonly service: string;
  readonly policy: Autoscale;
  /** null: it has not changed anything yet. */
  readonly scale: Scale | null;
  readonly decisions: readonly ScaleDecision[];
}

/** What one version of a rollout has now. */
export interface RolloutVersion {
  readonly number: number;
  /** Percent of new sessions; null: every ready instance of either version takes its part. */
  readonly weight: number | null;
  readonly instances: number;
  readonly ready: number;
  readonly draining: number;
  /** Open sessions: those of the old version stay until they end. */
  readonly sessions: number;
  /** False: no new session comes to it. */
  readonly receiving: boolean;
  /** Where none comes: milliseconds until its last open session will have ended; null: can't be told. */
  readonly estimateMs: number | null;
  /** What the estimate stands on, one sentence. */
  readonly estimateReason: string;
}

export type RolloutView = Rollout & {
  readonly revision: number;
  /** Empty for a strategy without stages. */
  readonly stages: readonly { readonly instances: number; readonly weight: number; readonly pause: string }[];
  /** The old one, then the new one. */
  readonly versions: readonly RolloutVersion[];
};

export type WriteAnswer = WriteResult & { readonly acks?: AckReport };

export interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly ReadinessCheck[];
}

export interface SessionPage<T> {
  readonly items: readonly T[];
  /** Of all that match, not only of this page. */
  readonly total: number;
  /** Sessions that the gateways count and that are not listed yet; less than 0: ended ones that are still listed. Over all services. */
  readonly unlisted: number;
  readonly settled: boolean;
  readonly next?: string;
}

export interface SessionCount {
  readonly total: number;
  readonly unlisted: number;
  readonly settled: boolean;
  readonly by: string;
  /** Largest first. */
  readonly groups: readonly { readonly key: string; readonly count: number }[];
}

/** An event `state` of GET /v1/live: all that a console shows, light. */
export interface LiveState {
  readonly revision: number;
  readonly status: SystemStatus;
  readonly services: readonly ServiceView[];
  readonly instances: readonly InstanceView[];
  readonly gateways: readonly GatewayView[];
}

/** An event `changes` of GET /v1/live?changes=true: what is not as in the event before. */
export interface LiveChanges {
  readonly revision: number;
  /** Only the fields that changed. */
  readonly status: Partial<SystemStatus>;
  readonly services: readonly ServiceView[];
  readonly instances: readonly InstanceView[];
  readonly gateways: readonly GatewayView[];
  /** Names, ids and nodes of what is no longer there. */
  readonly gone: Readonly<Record<'services' | 'instances' | 'gateways', readonly string[]>>;
}

export type LiveEvent =
  { readonly event: 'state'; readonly data: LiveState } | { readonly event: 'changes'; readonly data: LiveChanges };

/** RFC 9457. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly issues?: readonly { readonly path: string; readonly message: string }[];
  readonly remedy?: string;
  readonly requestId: string;
}

/** One of GET /v1/timeseries/metrics. */
export interface MetricView {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly unit: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly stats: readonly string[];
}
