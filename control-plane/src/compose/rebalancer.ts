/** The rebalancer, joined to the table of sessions and to the agents' own close hooks. */
import { destroySocket } from '../home/destroy-socket.ts';
import { endSessions } from '../reconcile/end-sessions.ts';
import { createRebalancer, type Rebalancer } from '../reconcile/rebalance.ts';
import type { Registry } from '../registry/registry.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import type { Closers } from './closers.ts';
import { sessionsAtInstance } from './sessions.ts';

export interface RebalancerParts {
  readonly registry: Registry;
  readonly sessions: SessionTable;
  readonly now: () => number;
  readonly onChange: () => void;
}

export function startRebalancer({ registry, sessions, now, onChange }: RebalancerParts, closers: Closers): Rebalancer {
  const rebalancer = createRebalancer({
    registry,
    sessionsOf: sessionsAtInstance(sessions),
    sessions: () => sessions.list(),
    askToEnd: async (chosen) =>
      endSessions(chosen, {
        view: registry.view(),
        reason: 'rebalance',
        dryRun: false,
        whyNotDestroy: () => 'a connection is never cut for balance',
        destroy: destroySocket,
      }),
    now,
    onChange,
  });
  closers.add(() => {
    rebalancer.close();
  });
  return rebalancer;
}
