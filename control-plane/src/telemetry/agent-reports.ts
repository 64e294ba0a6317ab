/** What agents last told of themselves. Kept in memory: an agent that reports at all does so again soon. */
import type { HeldLoadReport, LoadReport } from '../model/load.ts';

/** A report that is older is no longer believed. */
const REPORT_LIFE_MS = 60_000;

export interface AgentReports {
  put(instance: string, report: LoadReport): HeldLoadReport;
  get(instance: string): HeldLoadReport | undefined;
  /** Told when a report changes what is believed of an instance. */
  subscribe(listener: (instance: string) => void): () => void;
  /** Forgets what is too old, and instances that are gone. */
  expire(exists: (instance: string) => boolean): void;
}

export function createAgentReports({ now }: { now: () => number }): AgentReports {
  const held = new Map<string, { report: HeldLoadReport; at: number }>();
  const listeners = new Set<(instance: string) => void>();
  // A clock that was set back must not keep a report for ever.
  const isOld = (at: number): boolean => Math.abs(now() - at) > REPORT_LIFE_MS;

  function tell(instance: string): void {
    for (const listener of listeners) listener(instance);
  }

  return {
    put(instance, report) {
      const at = now();
      const before = held.get(instance)?.report.status ?? 'ok';
      const kept: HeldLoadReport = { ...report, at: new Date(at).toISOString() };
      held.set(instance, { report: kept, at });
      if (before !== report.status) tell(instance);
      return kept;
    },
    get(instance) {
      const found = held.get(instance);
      return found === undefined || isOld(found.at) ? undefined : found.report;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    expire(exists) {
      for (const [instance, { report, at }] of held) {
        if (exists(instance) && !isOld(at)) continue;
        held.delete(instance);
        if (report.status !== 'ok') tell(instance);
      }
    },
  };
}
