/**
 * Draining the gateway of this machine: its listener takes no new connections (each is closed at once, so that whatever balances before it
 * goes elsewhere), while open sessions go on. It is a limit in Envoy's runtime, so it touches no configuration and can be taken back.
 */
import type { EnvoySupervisor } from '@switchboard/envoy';
import { readGatewayDrain, writeGatewayDrain } from '../home/gateway-drain.ts';
import type { Log } from '../log.ts';
import type { GatewayDrain } from '../model/drain.ts';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import { LISTENER_NAME } from '../translate/listener.ts';
import { NODE_ID } from './settings.ts';

const LIMIT = `envoy.resource_limits.listener.${LISTENER_NAME}.connection_limit`;

export interface GatewayDrains {
  list(): readonly (GatewayDrain & { readonly node: string })[];
  /** The drains that there are then, or in a dry run would be. Errors: not_found (no such gateway is connected), unsupported (it is not of this machine). */
  set(node: string, reason: string | undefined, dryRun: boolean): Promise<ReturnType<GatewayDrains['list']>>;
}

export interface GatewayDrainParts {
  readonly data: string;
  readonly envoy: EnvoySupervisor;
  readonly isConnected: (node: string) => boolean;
  readonly now: () => number;
  readonly log: Log;
}

export function createGatewayDrains({ data, envoy, isConnected, now, log }: GatewayDrainParts): GatewayDrains {
  let drain = readGatewayDrain(data);

  async function apply(): Promise<void> {
    // An empty value takes the limit back.
    await envoy.admin(`/runtime_modify?${LIMIT}=${drain === undefined ? '' : '0'}`, { method: 'POST' });
  }

  function keep(): void {
    if (drain === undefined || envoy.status().state !== 'running') return;
    apply().catch((error: unknown) => {
      log.warn({ error }, 'the gateway is to be drained, and does not take it');
    });
  }
  const listed = (one: GatewayDrain | undefined): ReturnType<GatewayDrains['list']> =>
    one === undefined ? [] : [{ node: NODE_ID, ...one }];

  // One that was started again has forgotten it.
  envoy.watch(keep);
  keep();

  return {
    list: () => listed(drain),
    async set(node, reason, dryRun) {
      if (node !== NODE_ID) {
        if (!isConnected(node)) throw new SwitchboardError('not_found', `no gateway ${node} is connected`);
        throw new SwitchboardError('unsupported', `gateway ${node} can not be drained from here: it runs elsewhere`, {
          remedy: `On its machine: POST /runtime_modify?${LIMIT}=0 to its admin address, and the same with an empty value to cancel.`,
        });
      }
      const before = drain;
      const next = reason === undefined ? undefined : { since: before?.since ?? new Date(now()).toISOString(), reason };
      if (dryRun) return listed(next);
      drain = next;
      try {
        await apply();
      } catch (cause) {
        drain = before;
        throw new SwitchboardError('unavailable', `gateway ${node} does not take it: ${messageOf(cause)}`, {
          remedy:
            'An Envoy that an earlier version has started lacks what this needs: start it again when it is empty.',
          cause,
        });
      }
      writeGatewayDrain(data, drain);
      return listed(drain);
    },
  };
}
