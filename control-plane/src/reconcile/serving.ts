/** Whether clients get in at an instance, for whoever counts on it before another is taken away. Pure. */
import type { Instance } from '../model/instance.ts';
import { takesSessions } from '../model/takes-sessions.ts';
import type { HealthMonitor } from './health.ts';

/** A gateway tells of a new instance a moment after it is ready. From one that tells nothing for so long nothing is to be expected. */
const GATEWAY_WORD_MS = 10_000;

export function servesClients(
  { id, state, readyAt, since }: Instance,
  health: Pick<HealthMonitor, 'verdict' | 'gateway'>,
  now: number,
): boolean {
  const gateway = health.gateway(id);
  if (state !== 'ready' || !takesSessions({ verdict: health.verdict(id), gateway })) return false;
  return gateway === 'ok' || now - Date.parse(readyAt ?? since) >= GATEWAY_WORD_MS;
}
