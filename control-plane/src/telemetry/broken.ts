/** A request of any kind at whose instance the connection broke before an answer began: the instance may have died of it. */
import { REFUSAL_FLAGS, type RefusedRequest } from './refusal.ts';
import type { Flags } from './ending.ts';

export interface BrokenRequest extends Pick<RefusedRequest, 'cluster'> {
  readonly method: string;
  /** As the client sent it, without its query, which may hold secrets. */
  readonly path: string;
  /** `ip:port` of the instance that had it last. */
  readonly upstream: string;
  /** How many instances had it. */
  readonly attempts: number;
  readonly durationMs: number;
}

const BROKE = [
  'upstream_connection_termination',
  'upstream_remote_reset',
] as const satisfies readonly (typeof REFUSAL_FLAGS)[number][];

export const hasBroken = (flags: Flags, details: string): boolean =>
  details.startsWith('upstream_reset_before_response_started') && BROKE.some((flag) => flags[flag] === true);

export const withoutQuery = (path: string): string => path.split('?', 1)[0] ?? '';
