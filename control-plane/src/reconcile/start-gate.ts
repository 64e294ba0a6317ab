/**
 * Paces starts: agents are heaviest while they start, and a fleet that starts all at once starts slowest. A start holds its
 * place until it is ready or has failed, but not for long, so that agents that never get ready do not keep others waiting.
 */
import type { Instance } from '../model/instance.ts';

export interface StartPace {
  /** Starts under way at a time. */
  readonly atOnce: number;
  /** Milliseconds between two starts, of any service and of one. */
  readonly spacingMs: number;
  readonly serviceSpacingMs: number;
}

export const DEFAULT_PACE: StartPace = { atOnce: 16, spacingMs: 10, serviceSpacingMs: 50 };

const HOLD_MS = 15_000;
const FULL_LOOK_MS = 100;

export interface StartGate {
  /** Begins a turn: who is starting now. */
  look(instances: Iterable<Instance>, isBusy: (id: string) => boolean): void;
  /** 0: start it now; else the time to ask again, in milliseconds since the epoch. */
  ask(service: string): number;
}

export function createStartGate(pace: StartPace, now: () => number): StartGate {
  const lastOf = new Map<string, number>();
  let last = -Infinity;
  let underWay = 0;
  return {
    look(instances, isBusy) {
      underWay = 0;
      for (const one of instances) {
        const isStarting =
          one.state === 'starting'
            ? now() - Date.parse(one.since) < HOLD_MS
            : one.state === 'pending' && isBusy(one.id);
        if (isStarting) underWay += 1;
      }
    },
    ask(service) {
      const present = now();
      // A clock that was set back must not hold starts for as long as it was.
      if (last > present) last = -Infinity;
      if (underWay >= pace.atOnce) return present + FULL_LOOK_MS;
      const before = lastOf.get(service) ?? -Infinity;
      const free = Math.max(last + pace.spacingMs, (before > present ? -Infinity : before) + pace.serviceSpacingMs);
      if (free > present) return free;
      last = present;
      lastOf.set(service, present);
      for (const [name, at] of lastOf) if (present - at > pace.serviceSpacingMs) lastOf.delete(name);
      underWay += 1;
      return 0;
    },
  };
}
