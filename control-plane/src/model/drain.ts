/** A drain: no new sessions, and what becomes of the open ones. */
import { z } from 'zod';
import { Timestamp } from './meta.ts';
import { Duration } from './units.ts';

/**
 * wait: open sessions may go on as long as they like; notify: the agent is told at once, and they may go on; close: what is open at the
 * deadline is ended; notify-then-close: both.
 */
export const DrainPolicy = z.enum(['wait', 'notify', 'close', 'notify-then-close']);
export type DrainPolicy = z.infer<typeof DrainPolicy>;

const Url = z
  .string()
  .max(2048)
  .regex(/^https?:\/\/[^\s]+$/, 'must be a URL that starts with http:// or https://');

/** What is kept on an instance. */
export const DrainState = z.strictObject({
  reason: z.string(),
  since: Timestamp,
  deadline: Timestamp,
  /** From SIGTERM to SIGKILL. */
  stopGrace: Duration,
  /** Default: close. */
  policy: DrainPolicy.optional(),
  /** `keep`: it goes on running when it is empty, until the drain is cancelled. Default: stop. */
  then: z.enum(['stop', 'keep']).optional(),
  /** Told instead of the service's drain hook. */
  notifyUrl: Url.optional(),
  notified: z
    .strictObject({ at: Timestamp, ok: z.boolean(), attempts: z.int().min(1), message: z.string() })
    .optional(),
});
export type DrainState = z.infer<typeof DrainState>;

/** What a request to drain says. */
export const DrainRequest = z.strictObject({
  policy: DrainPolicy.default('close'),
  then: z.enum(['stop', 'keep']).default('stop'),
  /** Default: the service's drain deadline. */
  deadline: Duration.optional(),
  notifyUrl: Url.optional(),
  reason: z.string().max(200).default('Requested'),
});
export type DrainRequest = z.infer<typeof DrainRequest>;

export type DrainTarget =
  | { readonly kind: 'instance'; readonly id: string }
  | { readonly kind: 'service'; readonly name: string }
  | { readonly kind: 'version'; readonly name: string; readonly number: number };

/** True if sessions that are open at the deadline are ended. */
export function closesAtDeadline({ policy }: Pick<DrainState, 'policy'>): boolean {
  return policy === undefined || policy === 'close' || policy === 'notify-then-close';
}

export function notifiesAgent({ policy }: Pick<DrainState, 'policy'>): boolean {
  return policy === 'notify' || policy === 'notify-then-close';
}

/** A drain that is under way: an element of GET /v1/drains. */
export interface DrainProgress extends DrainState {
  readonly instance: string;
  readonly service: string;
  readonly state: string;
  readonly remaining: number;
  /** Milliseconds until the last open session will have ended; null: can't be told. */
  readonly estimateMs: number | null;
  /** What the estimate stands on, one sentence. */
  readonly estimateReason: string;
}

/** A gateway that takes no new connections; its open sessions go on. */
export interface GatewayDrain {
  readonly since: string;
  readonly reason: string;
}

export interface GatewayDrainProgress extends GatewayDrain {
  readonly node: string;
  readonly remaining: number;
  readonly estimateMs: number | null;
  readonly estimateReason: string;
}
