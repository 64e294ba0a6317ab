/** How an agent is asked to do what only it can, end a session of its own or get ready to go: HTTP calls, and a command before the stop. */
import { z } from 'zod';
import { withoutNul } from './plain-text.ts';
import { PositiveDuration } from './units.ts';

/** `{host}`, `{port}`, `{instance}` and `{service}` are replaced. */
const hookUrlOr = (other: string) =>
  z
    .string()
    .max(2048)
    .regex(/^https?:\/\/[^\s]+$/, `must be a URL that starts with http:// or https://${other}`);
const HookUrl = hookUrlOr('');

/** Run beside the agent, in its folder and with its environment. Templates as in `launch.command`. For runtime `process`. */
const HookCommand = z.strictObject({
  command: z
    .array(withoutNul(z.string().min(1).max(4096)))
    .min(1)
    .max(256),
});

export const Hooks = z.strictObject({
  /** POSTed when a drain begins: `{instance, service, reason, deadline, sessions}`. */
  drain: HookUrl.optional(),
  /**
   * After the drain, before SIGTERM: a URL that gets a POST of `{instance, service, reason}`, or `{command: [...]}`, run with the reason in
   * SWITCHBOARD_STOP_REASON. The stop waits for its end, at most `timeout`.
   */
  stop: z.union([hookUrlOr(', or {command: [program, arguments, ...]}'), HookCommand]).optional(),
  /** POSTed to end sessions: `{instance, service, reason, sessions: [{id, client}]}`; an id is the x-request-id that the agent got with the session's handshake. */
  close: HookUrl.optional(),
  timeout: PositiveDuration.default('5s'),
});
export type Hooks = z.infer<typeof Hooks>;

/** Empty: it has none. */
export const stopCommandOf = (hooks: Hooks | undefined): readonly string[] =>
  typeof hooks?.stop === 'object' ? hooks.stop.command : [];
