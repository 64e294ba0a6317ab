/** From the words of the API to five kinds of status. */
import type { InstanceView } from '../../../control-plane/src/api/types.ts';
import { takesSessions } from '../../../control-plane/src/model/takes-sessions.ts';

export type Kind = 'ok' | 'busy' | 'warn' | 'bad' | 'off';

const KINDS: Readonly<Record<string, Kind>> = {
  ready: 'ok',
  running: 'ok',
  healthy: 'ok',
  SYNCED: 'ok',
  starting: 'busy',
  pending: 'busy',
  draining: 'busy',
  stopping: 'busy',
  NOT_SENT: 'busy',
  degraded: 'warn',
  backoff: 'warn',
  STALE: 'warn',
  unknown: 'warn',
  failed: 'bad',
  unhealthy: 'bad',
  ERROR: 'bad',
  stopped: 'off',
  progressing: 'busy',
  paused: 'warn',
  rolloutPaused: 'warn',
  rolloutAborted: 'bad',
  completed: 'ok',
  aborted: 'bad',
};

/** What is open then is ended: not every drain has an end. */
export const endsAtDeadline = ({ policy }: Pick<NonNullable<InstanceView['drain']>, 'policy'>): boolean =>
  policy === undefined || policy.includes('close');

export const kindOf = (word: string): Kind => KINDS[word] ?? 'warn';

/** What an operator should see of an instance: that it runs says nothing when its probe fails. */
export const wordOf = (instance: InstanceView): string =>
  instance.state === 'ready' && !takesSessions(instance.health) ? 'unhealthy' : instance.state;
