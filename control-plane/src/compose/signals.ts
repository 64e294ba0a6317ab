/** Live signals of every instance, joined from session table, load reports, probes, agents and runtimes. */
import type { LoadSignals } from '../model/load.ts';
import type { Loop } from '../reconcile/loop.ts';
import { signalsOf, type SignalSources } from '../reconcile/signals.ts';
import { createUsageSampler } from '../reconcile/usage.ts';
import type { Log } from '../log.ts';
import type { Registry } from '../registry/registry.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { AgentReports } from '../telemetry/agent-reports.ts';
import type { EndpointLoad } from '../telemetry/endpoint-load.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import { sessionsAtInstance } from './sessions.ts';

export interface SignalParts {
  readonly registry: Registry;
  readonly runtimes: ReadonlyMap<string, Runtime>;
  readonly loop: Loop;
  readonly sessions: SessionTable;
  readonly load: EndpointLoad;
  readonly reports: AgentReports;
  readonly now: () => number;
  readonly log: Log;
}

export interface Signals {
  /** Undefined: there is no such instance. */
  of(instance: string): LoadSignals | undefined;
  close(): void;
}

const EXPIRE_MS = 5_000;

export function createSignals(parts: SignalParts): Signals {
  const { registry, loop, sessions, load, reports } = parts;
  const usage = createUsageSampler({
    runtimes: parts.runtimes,
    now: parts.now,
    onError: (error) => {
      parts.log.warn({ error }, 'cannot see what the agents use of the machine');
    },
  });
  const sources: SignalSources = {
    sessionsOn: sessionsAtInstance(sessions),
    errorRateAt: (upstream) => load.errorRate(upstream),
    probeLatency: (instance) => loop.probeLatency(instance),
    reported: (instance) => reports.get(instance),
    usage: (instance) => usage.get(instance),
  };
  const expiry = setInterval(() => {
    reports.expire((instance) => registry.view().instances.has(instance));
  }, EXPIRE_MS);
  expiry.unref();
  return {
    of(instance) {
      const held = registry.view().instances.get(instance);
      return held === undefined ? undefined : signalsOf(held.value, sources);
    },
    close() {
      clearInterval(expiry);
      usage.close();
    },
  };
}
