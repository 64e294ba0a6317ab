/** One value of live signals for an instance, put together from whoever knows a part. Pure. */
import { addressText } from '../model/address.ts';
import type { HeldLoadReport, LoadSignals } from '../model/load.ts';
import type { Instance } from '../model/instance.ts';
import type { Usage } from './usage.ts';

export interface SignalSources {
  readonly sessionsOn: (instance: Instance) => number;
  readonly errorRateAt: (upstream: string) => number | undefined;
  readonly probeLatency: (instance: string) => number | undefined;
  readonly reported: (instance: string) => HeldLoadReport | undefined;
  readonly usage: (instance: string) => Usage | undefined;
}

const rounded = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;

export function signalsOf(instance: Instance, sources: SignalSources): LoadSignals {
  const { id, address } = instance;
  const upstream = address === undefined ? undefined : addressText(address);
  const errorRate = upstream === undefined ? undefined : sources.errorRateAt(upstream);
  const latency = sources.probeLatency(id);
  const reported = sources.reported(id);
  const usage = sources.usage(id);
  return {
    instance: id,
    sessions: sources.sessionsOn(instance),
    ...(latency === undefined ? {} : { probeLatencyMs: rounded(latency, 1) }),
    ...(errorRate === undefined ? {} : { errorRate: rounded(errorRate, 4) }),
    ...(reported === undefined ? {} : { reported }),
    ...(usage === undefined ? {} : { cpuCores: rounded(usage.cpuCores, 3), memoryBytes: usage.memoryBytes }),
  };
}
