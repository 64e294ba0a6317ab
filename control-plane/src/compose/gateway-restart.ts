/** Replacing the Envoy of this machine by a new one: for another version, or settings that it only reads at its start. No connect is refused meanwhile. */
import type { EnvoySupervisor } from '@switchboard/envoy';
import type { GatewayRestart } from '../model/gateway.ts';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import { NODE_ID } from './settings.ts';

export interface GatewayRestartParts {
  readonly envoy: EnvoySupervisor;
  readonly sessions: Pick<SessionTable, 'counts'>;
  readonly isConnected: (node: string) => boolean;
  readonly now: () => number;
}

/** `deadlineMs` undefined: its sessions may go on until they end by themselves; one of an earlier version ends them sooner, and that is told. Errors: not_found, unsupported, conflict, unavailable. */
export function createGatewayRestart({ envoy, sessions, isConnected, now }: GatewayRestartParts) {
  return async (node: string, deadlineMs: number | undefined, dryRun: boolean): Promise<GatewayRestart> => {
    if (node !== NODE_ID) {
      if (!isConnected(node)) throw new SwitchboardError('not_found', `no gateway ${node} is connected`);
      throw new SwitchboardError('unsupported', `gateway ${node} can not be restarted from here: it runs elsewhere`);
    }
    const why = envoy.whyNotReplace();
    if (why !== undefined)
      throw new SwitchboardError(why.kind, `gateway ${node} can not be replaced now: ${why.message}`, {
        remedy:
          why.kind === 'conflict'
            ? 'Try again later; `switchboard status` shows it.'
            : 'Drain it, and when it is empty end its process: a new one is started at once.',
      });
    const { pid } = envoy.status();
    // It knows best: one that is not let in tells nobody else.
    const open = (await envoy.openSessions()) ?? sessions.counts().total;
    const endMs = Math.min(deadlineMs ?? Infinity, envoy.sessionsEndWithinMs() ?? Infinity);
    const untilMs = endMs === Infinity ? undefined : endMs;
    const until = untilMs === undefined ? null : new Date(now() + untilMs).toISOString();
    if (dryRun) return { node, dryRun, from: pid, to: null, sessions: open, until };
    try {
      await envoy.replace({ untilMs });
    } catch (cause) {
      throw new SwitchboardError('unavailable', `gateway ${node} is not replaced: ${messageOf(cause)}`, { cause });
    }
    const { pid: to, former } = envoy.status();
    return { node, dryRun, from: pid, to, sessions: open, until: former?.until ?? null };
  };
}
