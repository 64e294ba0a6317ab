/**
 * What the API answers, as types alone: shared with the client, the CLI and the console, which must not load the schemas (answers/) that they are
 * inferred from.
 */
import type { SystemStatus } from '../model/system.ts';
import type { GatewayView } from './answers/gateway.ts';
import type { InstanceView } from './answers/instance.ts';
import type { ServiceView } from './answers/service.ts';

export type { AutoscaleView } from './answers/autoscale.ts';
export type { Drains, GatewayDrains, GatewayView } from './answers/gateway.ts';
export type { Heard, InstanceView, LogLines, Registered } from './answers/instance.ts';
export type { Feed, Items, Page } from './answers/list.ts';
export type { Problem } from './answers/problem.ts';
export type { RolloutVersion, RolloutView } from './answers/rollout.ts';
export type { RouteView } from './answers/route.ts';
export type { RolloutBrief, ServicePage, ServiceState, ServiceView, VersionDiff } from './answers/service.ts';
export type { SessionCount, SessionEnds, SessionPage } from './answers/session.ts';
export type { Done, MetricView, OwnLog, PluginInfo, Readiness, SignInCode, SignedIn } from './answers/system.ts';
export type { WriteAnswer } from './answers/write.ts';
export type { HistoryAnswer } from '../history/answer.ts';
export type { LogLine } from '../model/log-line.ts';
export type { Explanation } from '../routing/explanation.ts';
export type { Replay } from '../scaling/replay.ts';
export type { EndedSession, Session } from '../telemetry/session.ts';
export type { GatewaySync } from '../xds/status.ts';

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
