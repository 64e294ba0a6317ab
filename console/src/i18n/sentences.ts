/**
 * The control plane's sentences in another language than English, made of the codes that stand beside them (control-plane/src/model/reasons.ts) and of
 * what the object itself says. One for each code: a new one without a sentence does not compile, and `vite build` fails.
 */
import type {
  EndedSession,
  InstanceView,
  RolloutView,
  ServiceState,
  ServiceView,
  Session,
} from '../../../control-plane/src/api/types.ts';
import type { ErrorCode } from '../../../control-plane/src/model/errors.ts';
import type {
  ConditionReason,
  EndReason,
  EventAction,
  InstanceReason,
  LeavingReason,
  RolloutReason,
} from '../../../control-plane/src/model/reasons.ts';

/** As the language writes a time. */
export type Clock = (at: string) => string;

/** What is told of a rollout, whole or in short. */
export type ToldRollout = Pick<RolloutView, 'from' | 'to' | 'phase' | 'stage' | 'weight' | 'reason' | 'message'> & {
  readonly stages: readonly unknown[];
};

/** `why`: as `leaving` has it, or a person's own words. */
export interface Sentences {
  readonly instance: Readonly<Record<InstanceReason, (one: InstanceView, clock: Clock) => string>>;
  readonly unhealthy: string;
  readonly drains: (one: InstanceView, why: string, clock: Clock) => string;
  readonly leaving: Readonly<Record<LeavingReason, string>>;
  readonly service: Readonly<Record<ServiceState, (one: ServiceView) => string>>;
  readonly rollout: Readonly<Record<RolloutReason, (one: ToldRollout) => string>>;
  readonly condition: Readonly<Record<ConditionReason, string>>;
  /** `name` of its subject, which stands in the sentence. */
  readonly event: Readonly<Record<EventAction, (name: string) => string>>;
  readonly end: Readonly<Record<EndReason, string>>;
  readonly placed: (one: Session | EndedSession) => string;
  readonly problem: Readonly<Record<ErrorCode, string>>;
}
