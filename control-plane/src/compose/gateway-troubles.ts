/** What befalls Envoy, as events: that it ended by itself, and how many sessions with it; that it hung. */
import type { EnvoySupervisor } from '@switchboard/envoy';
import type { NewEvent } from '../model/event.ts';
import { NODE_ID } from './settings.ts';

export interface TroubleParts {
  readonly envoy: EnvoySupervisor;
  /** Open sessions as they are known; asked before those of one that has ended are forgotten. */
  readonly open: () => number;
  /** Those that the control plane before knew of, where Envoy has gone since. */
  readonly left: number;
  readonly note: (event: NewEvent) => void;
}

const sessionsOf = (count: number): string => `${count} ${count === 1 ? 'session' : 'sessions'}`;

/** Call it before anything else watches. */
export function watchTroubles({ envoy, open, left, note }: TroubleParts): void {
  const tell = (action: NewEvent['action'], message: string): void => {
    note({ action, subject: { kind: 'Gateway', name: NODE_ID }, message });
  };
  let before = envoy.status();
  if (left > 0)
    tell('gateway.lost', `Envoy had ended while no control plane was there: ${sessionsOf(left)} ended with it`);
  envoy.watch((status) => {
    const { state, reason, former } = status;
    const was = before;
    before = status;
    if (state === 'backoff' && was.state === 'running') {
      const others = former === null ? '' : `, but for those that process ${former.pid} serves on`;
      tell(
        'gateway.lost',
        `Envoy (process ${was.pid ?? '?'}) is started again: ${reason}; ${sessionsOf(open())} ended with it${others}`,
      );
    } else if (state === 'running' && was.state === 'running' && reason !== was.reason)
      tell(
        'gateway.hang',
        reason === ''
          ? `Envoy (process ${status.pid ?? '?'}) answers again`
          : `Envoy (process ${status.pid ?? '?'}), with ${sessionsOf(open())} open: ${reason}`,
      );
  });
}
