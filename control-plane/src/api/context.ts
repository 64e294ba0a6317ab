/** What the API needs of the rest: plain functions and values that main.ts passes. Routes hold no logic beyond parse, authorise, call. */
import type { History } from '../history/create.ts';
import type { Autoscale, ScaleDecision } from '../model/autoscale.ts';
import type { Balance, RebalanceRequest } from '../model/balance.ts';
import type { GatewayDrain } from '../model/drain.ts';
import type { HealthDetail, HealthReport } from '../model/health.ts';
import type {
  CertificateStatus,
  DriftReport,
  GatewayCertificate,
  GatewayCertificateRequest,
  GatewayConfig,
  GatewayRestart,
} from '../model/gateway.ts';
import type { HeldLoadReport, LoadReport, LoadSignals } from '../model/load.ts';
import type { Condition } from '../model/meta.ts';
import type { SessionRequest } from '../model/request.ts';
import type { Explanation } from '../routing/explanation.ts';
import type { ReadinessCheck, RevisionTimeline, SystemStatus } from '../model/system.ts';
import type { WriteOptions } from '../model/write.ts';
import type { Registry } from '../registry/registry.ts';
import type { Replay } from '../scaling/replay.ts';
import type { LogLine } from '../model/log-line.ts';
import type { AckReport } from '../xds/status.ts';
import type { GatewayView, PluginInfo } from './types.ts';
import type { SessionEnd } from '../model/session-end.ts';
import type { EndedSession, Session, SessionChange, SessionCounts } from '../telemetry/session.ts';
import type { Log } from '../log.ts';
import type { SignIns } from './sign-ins.ts';

export interface ReplayRange {
  readonly from: number;
  readonly to: number;
  /** From when an instance is wanted to when it is ready. */
  readonly startMs: number;
}

export interface ApiContext {
  readonly registry: Registry;
  /** Points over time. Error of `query`: `invalid` with the field. */
  readonly history: Pick<History, 'query' | 'finished' | 'subscribe'>;
  readonly log: Log;
  readonly now: () => number;
  /** Who bears this token, or undefined. Compares in constant time. */
  authenticate(token: string): { actor: string } | undefined;
  /** For links to the console. */
  readonly signIns: SignIns;
  system(): SystemStatus;
  /** Where clients of this machine connect. */
  readonly gatewayUrl: string;
  readiness(): Promise<readonly ReadinessCheck[]>;
  health(instance: string): HealthReport | undefined;
  /** All levels with their history. Undefined: not looked at in its present state. */
  healthDetail(instance: string): HealthDetail | undefined;
  /** The same after checking everything now. */
  checkNow(instance: string): Promise<HealthDetail | undefined>;
  /** Undefined: there is no such instance. */
  signals(instance: string): LoadSignals | undefined;
  /** Replays where a request would go. */
  explain(request: SessionRequest): Explanation;
  /** What can not be served as it is written. */
  problems(): readonly { readonly kind: string; readonly name: string; readonly message: string }[];
  reportLoad(instance: string, report: LoadReport): HeldLoadReport;
  readonly gatewayDrains: {
    list(): readonly (GatewayDrain & { readonly node: string })[];
    /** `reason` undefined: cancelled. The drains that there are then, or in a dry run would be. Errors: not_found, unsupported (it runs elsewhere), unavailable. */
    set(
      node: string,
      reason: string | undefined,
      options: WriteOptions,
    ): Promise<readonly (GatewayDrain & { readonly node: string })[]>;
  };
  /** Errors: not_found, unsupported, conflict, unavailable. */
  restartGateway(node: string, deadlineMs: number | undefined, options: WriteOptions): Promise<GatewayRestart>;
  /** Error: not_found. */
  balance(service: string): Balance;
  /** Errors: not_found, unsupported (with the reason). */
  rebalance(service: string, request: RebalanceRequest): Balance;
  sessions(): readonly Session[];
  sessionCounts(): SessionCounts;
  gateways(): readonly GatewayView[];
  /** One type of resources as sent and as Envoy has them, with secrets left out. Error: not_found. */
  gatewayConfig(node: string, type: string, name?: string): Promise<GatewayConfig>;
  /** Compares now, and not only at the interval. Error: not_found. */
  lookForDrift(node: string): Promise<DriftReport>;
  /** What speaks against services and routes, as it is now. */
  conditions(): (kind: 'Service' | 'Route', name: string) => readonly Condition[];
  /** What a policy would have done with the service's recorded history. Milliseconds since the epoch. Error: `invalid`. */
  replayScale(service: string, policy: Autoscale, range: ReplayRange): Replay;
  /** The last decisions of a service's autoscaler, oldest first; undefined: it has made none. */
  scaleDecisions(service: string): readonly ScaleDecision[] | undefined;
  readonly certificates: {
    list(): readonly CertificateStatus[];
    /** New ones for all, or for one gateway. Open streams go on; new connections use them. Error: not_found. */
    rotate(gateway: string | undefined, options: WriteOptions): Promise<void>;
    /** Errors: invalid, conflict. */
    certify(request: GatewayCertificateRequest, options: WriteOptions): Promise<GatewayCertificate>;
    /** Ends its streams. Error: not_found. */
    revoke(gateway: string, options: WriteOptions): Promise<void>;
  };
  /** Open or ended lately. */
  session(id: string): Session | EndedSession | undefined;
  /** Newest first. */
  endedSessions(): readonly EndedSession[];
  watchSessions(listener: (change: SessionChange) => void): () => void;
  endSessions(sessions: readonly Session[], options: { reason: string; dryRun: boolean }): Promise<SessionEnd[]>;
  /** Resolves when every connected Envoy has acknowledged or refused the revision, or after the time with what is pending. */
  whenAcked(revision: number, timeoutMs: number, signal: AbortSignal): Promise<AckReport>;
  revision(revision: number): RevisionTimeline | undefined;
  /** Error: not_found. */
  logs(instance: string, options: { tail: number; follow: boolean; signal: AbortSignal }): AsyncIterable<LogLine>;
  readonly metrics: {
    readonly contentType: string;
    /** Undefined: without a token. */
    mayScrape(token: string | undefined): boolean;
    scrape(): Promise<string>;
    /** After each answer; `route` is the path's template. */
    request(request: { method: string; route: string; status: number; ms: number }): void;
  };
  /** What is pluggable, built in or from the settings. */
  readonly plugins: readonly PluginInfo[];
  /** What the control plane wrote to its log lately, oldest first, a line each. */
  ownLog(): readonly string[];
  /** Told after every change of what the API shows, and whether it is more than that sessions opened or ended. */
  subscribe(listener: (pressing: boolean) => void): () => void;
  /** A consistent copy of the store as a file that the caller deletes. Error: unsupported for a store without one. */
  backup(): Promise<{ path: string; remove: () => Promise<void> }>;
  /** Ends agents and Envoy after draining for at most this long, then the control plane; resolves when it has begun. */
  shutdown(options: { drainMs: number }): Promise<void>;
  /** Folder of the built console; undefined: not built. */
  readonly consoleFolder: string | undefined;
}
