/** Why a process of this machine can't be connected to, where its own sockets tell. */
import { listeningOf, listensElsewhere } from '../home/listening.ts';
import type { ProbeResult, ProbeTarget } from '../probes/probe.ts';

/** While it starts nothing listens for a moment; from this attempt on, after about a second, it is looked where it does. */
const LOOK_FROM_ATTEMPT = 6;

/** Of a process that can't be connected to: where it listens instead. */
export function explained(result: ProbeResult, { host, port, process }: ProbeTarget, attempts: number): ProbeResult {
  if (result.ok || result.failedAt !== 'tcp' || process === undefined || attempts < LOOK_FROM_ATTEMPT) return result;
  const elsewhere = listensElsewhere(listeningOf(process), { host, port });
  return elsewhere === undefined ? result : { ...result, elsewhere, reason: `${result.reason}: it ${elsewhere}` };
}
