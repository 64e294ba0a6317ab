/**
 * Every code that stands beside a sentence of the control plane: what programs look at, and what a console in another language makes its own sentence of.
 * The sentence itself, in English, is for whoever has none. A code that is not here does not compile, and one without a Chinese sentence neither.
 */

/** Why an instance is to go. A person may give words of their own. */
export const LEAVING_REASONS = [
  'AddressRemoved',
  'LeaseLost',
  'MaxAge',
  'MemoryLimit',
  'NameChanged',
  'NewVersion',
  'Requested',
  'Maintenance',
  'Restarted',
  'ScaledDown',
  'ServiceDeleted',
  'Started',
  'Stopped',
  'Deregistered',
] as const;
export type LeavingReason = (typeof LEAVING_REASONS)[number];

/** A person's own words, where they may give some. */
declare const words: unique symbol;
export type GivenReason = string & { readonly [words]: true };
export const given = (text: string): GivenReason => text as GivenReason;

/** Why an instance failed. */
export const FAILURE_REASONS = [
  'BadLaunch',
  'CrashLoop',
  'Exited',
  'Missing',
  'OutOfMemory',
  'ProcessLimit',
  'Removed',
  'StartFailed',
  'StartTimeout',
  'Unavailable',
  'Unhealthy',
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** Why an instance is in its state; while it drains, why it is to go. */
export const INSTANCE_REASONS = [
  ...FAILURE_REASONS,
  'Adopted',
  'Created',
  'DrainDeadline',
  'ListensElsewhere',
  'Drained',
  'NameNotResolved',
  'ProbeFailed',
  'ProbePassed',
  'Registered',
  'Resumed',
  'Retry',
  'Started',
  'WaitsForDependency',
] as const;
export type InstanceReason = (typeof INSTANCE_REASONS)[number];

export const ROLLOUT_REASONS = [
  'Aborted',
  'AnalysisFailed',
  'AwaitsPromotion',
  'Completed',
  'CrashLoop',
  'Inconclusive',
  'NextStage',
  'Paused',
  'ProgressDeadline',
  'Resumed',
  'Retried',
  'Reverted',
  'Started',
  'Weight',
] as const;
export type RolloutReason = (typeof ROLLOUT_REASONS)[number];

export const CONDITION_REASONS = [
  'Behind',
  'CannotBeServed',
  'DiffersFromRegistry',
  'Disabled',
  'NameNotResolved',
  'NotServed',
  'OrderByName',
  'Reachable',
  'Refused',
  'RefusedByGateway',
  'RuntimeUnreachable',
  'Served',
  'TakesStandardPath',
  'Unreachable',
] as const;
export type ConditionReason = (typeof CONDITION_REASONS)[number];

/** What an event tells of. */
export const EVENT_ACTIONS = [
  'certificates.issue',
  'certificates.revoke',
  'certificates.rotate',
  'gateway.drain',
  'gateway.drift',
  'gateway.drift-over',
  'gateway.hang',
  'gateway.lost',
  'gateway.move',
  'gateway.outdated',
  'gateway.restart',
  'gateway.undrain',
  'instance.backoff',
  'instance.create',
  'instance.deregister',
  'instance.drain',
  'instance.draining',
  'instance.failed',
  'instance.pending',
  'instance.ready',
  'instance.register',
  'instance.remove',
  'instance.starting',
  'instance.stop',
  'instance.stopped',
  'instance.stopping',
  'instance.undrain',
  'instance.unknown',
  'instance.update',
  'rollout.abort',
  'rollout.complete',
  'rollout.pause',
  'rollout.promote',
  'rollout.promote-full',
  'rollout.resume',
  'rollout.retry',
  'rollout.start',
  'rollout.step',
  'route.create',
  'route.delete',
  'route.update',
  'service.autoscale',
  'service.create',
  'service.deadly-request',
  'service.delete',
  'service.drain',
  'service.restart',
  'service.undrain',
  'service.update',
  'session.end',
  'version.drain',
  'version.pin',
  'version.undrain',
  'version.unpin',
] as const;
export type EventAction = (typeof EVENT_ACTIONS)[number];
export type RolloutAction = EventAction extends infer A ? (A extends `rollout.${infer Verb}` ? Verb : never) : never;

/** How a session ended. */
export const END_REASONS = [
  'AgentBroke',
  'AgentClosed',
  'AgentOrClientClosed',
  'ClientClosed',
  'GatewayEnded',
  'GatewayLost',
  'Idle',
  'LongestDuration',
  'NotTold',
  'WhileAway',
  'WireSilent',
] as const;
export type EndReason = (typeof END_REASONS)[number];
