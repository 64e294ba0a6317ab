/** HTTP calls by which an agent is asked to do what only it can: end a session of its own, or get ready to go. */
import { z } from 'zod';
import { PositiveDuration } from './units.ts';

/** `{host}`, `{port}`, `{instance}` and `{service}` are replaced. */
const HookUrl = z
  .string()
  .max(2048)
  .regex(/^https?:\/\/[^\s]+$/, 'must be a URL that starts with http:// or https://');

export const Hooks = z.strictObject({
  /** POSTed when a drain begins: `{instance, service, reason, deadline, sessions}`. */
  drain: HookUrl.optional(),
  /** POSTed after the drain, before SIGTERM: `{instance, service, reason}`. The stop waits for the answer, at most `timeout`. */
  stop: HookUrl.optional(),
  /** POSTed to end sessions: `{instance, service, reason, sessions: [{id, client}]}`; an id is the x-request-id of the session's handshake. */
  close: HookUrl.optional(),
  timeout: PositiveDuration.default('5s'),
});
export type Hooks = z.infer<typeof Hooks>;

export function hookUrl(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(host|port|instance|service)\}/g, (whole, name: string) => values[name] ?? whole);
}
