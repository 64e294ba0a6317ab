/** A drain: no new sessions, and what becomes of the open ones. */
import { z } from 'zod';
import { Hooks } from './hooks.ts';
import { Timestamp } from './meta.ts';
import { plainText } from './plain-text.ts';
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
  /** Of its service, which is deleted: they hold for the end that this brings. */
  hooks: Hooks.optional(),
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
  reason: plainText(200).default('Requested'),
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

/** It stays: not drained, or drained only for a while. */
export function isLive({ drain }: { readonly drain?: Pick<DrainState, 'then'> | undefined }): boolean {
  return drain === undefined || drain.then === 'keep';
}

/** Where nobody has chosen a policy, as for a new version or at the end of its service, an agent is told if it has a hook for it. */
export function notifiesAgent({ policy }: Pick<DrainState, 'policy'>): boolean {
  return policy === undefined || policy === 'notify' || policy === 'notify-then-close';
}

const remaining = {
  remaining: z.int().min(0).describe('Open sessions.'),
  estimateMs: z
    .number()
    .nullable()
    .describe("Milliseconds until the last open session will have ended; null: can't be told."),
  estimateReason: z.string().describe('What the estimate stands on, one sentence.'),
};

/** A drain that is under way: an element of GET /v1/drains. */
export const DrainProgress = DrainState.extend({
  instance: z.string(),
  service: z.string(),
  state: z.string(),
  ...remaining,
}).meta({ id: 'DrainProgress' });
export type DrainProgress = Readonly<z.infer<typeof DrainProgress>>;

/** A gateway that takes no new connections; its open sessions go on. */
const GatewayDrain = z.strictObject({ since: Timestamp, reason: z.string() });
export type GatewayDrain = Readonly<z.infer<typeof GatewayDrain>>;

export const GatewayDrainProgress = GatewayDrain.extend({ node: z.string(), ...remaining }).meta({
  id: 'GatewayDrainProgress',
});
export type GatewayDrainProgress = Readonly<z.infer<typeof GatewayDrainProgress>>;
