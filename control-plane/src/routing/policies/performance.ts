/**
 * By how the instances do: the less loaded, quicker and sounder one gets more of the new sessions. Weights for Envoy's weighted round robin,
 * computed anew every few seconds. They move slowly and stay within bounds, so that a good figure never draws everybody at once, and what
 * is not known of an instance counts as ordinary.
 */
import { z } from 'zod';
import type { FleetInstance } from '../../model/fleet.ts';
import type { LoadSignals } from '../../model/load.ts';
import type { RoutingPolicy } from '../policy.ts';

const Share = z.number().min(0).max(1);
const Options = z.strictObject({
  /** Sessions that an instance can bear; absent: twice the present mean. */
  capacity: z.int().min(1).max(1_000_000).optional(),
  /** How much each signal counts. */
  weights: z
    .strictObject({
      sessions: Share.default(0.4),
      latency: Share.default(0.2),
      errors: Share.default(0.2),
      reported: Share.default(0.3),
      cpu: Share.default(0.1),
      memory: Share.default(0.1),
    })
    .prefault({})
    .refine((all) => Object.values(all).some((one) => one > 0), 'one signal must count'),
});
type Options = z.infer<typeof Options>;
type Signal = keyof Options['weights'];

const ORDINARY = 100;
/** The best gets at most eight times what the worst gets: with more, retries would find the same heavy instance again. */
const FLOOR = 25;
const CEILING = 200;
/** Of a weight, at a time. */
const FASTEST = 0.2;
/** Changes below this are not worth telling Envoy. */
const DEAD_BAND = 0.05;

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

interface Input {
  readonly signal: Signal;
  /** 0 good, 1 bad. */
  readonly strain: number;
  readonly text: string;
}

/** Against the pool's median: at it 0.25, four times as much is 1. */
const relative = (value: number, middle: number): number => (middle <= 0 ? 0.25 : clamp(value / middle / 4, 0, 1));

function inputs(signals: LoadSignals, pool: readonly LoadSignals[], options: Options): Input[] {
  const known = (pick: (one: LoadSignals) => number | undefined): number[] =>
    pool.map(pick).filter((one) => one !== undefined);
  const found: Input[] = [];
  const mean = known((one) => one.sessions).reduce((sum, one) => sum + one, 0) / Math.max(1, pool.length);
  const capacity = options.capacity ?? Math.max(10, 2 * mean);
  found.push({
    signal: 'sessions',
    strain: clamp(signals.sessions / capacity, 0, 1),
    text: `${signals.sessions} of ${Math.round(capacity)} sessions`,
  });
  const { probeLatencyMs, errorRate, reported, cpuCores, memoryBytes } = signals;
  if (probeLatencyMs !== undefined)
    found.push({
      signal: 'latency',
      strain: relative(probeLatencyMs, median(known((one) => one.probeLatencyMs))),
      text: `probe ${Math.round(probeLatencyMs)} ms`,
    });
  if (errorRate !== undefined)
    found.push({
      signal: 'errors',
      strain: clamp(4 * errorRate, 0, 1),
      text: `${Math.round(100 * errorRate)} % errors`,
    });
  if (reported !== undefined)
    found.push({
      signal: 'reported',
      strain: reported.status === 'ok' ? reported.load : 1,
      text: `tells load ${reported.load}${reported.status === 'ok' ? '' : ` and ${reported.status}`}`,
    });
  if (cpuCores !== undefined)
    found.push({
      signal: 'cpu',
      strain: relative(cpuCores, median(known((one) => one.cpuCores))),
      text: `${cpuCores.toFixed(2)} cores`,
    });
  if (memoryBytes !== undefined)
    found.push({
      signal: 'memory',
      strain: relative(memoryBytes, median(known((one) => one.memoryBytes))),
      text: `${Math.round(memoryBytes / 1_048_576)} MiB`,
    });
  return found;
}

function strainOf(found: readonly Input[], counts: Options['weights']): number {
  const total = found.reduce((sum, { signal }) => sum + counts[signal], 0);
  return total === 0 ? 0 : found.reduce((sum, { signal, strain }) => sum + counts[signal] * strain, 0) / total;
}

/** Towards the target, at most so fast; unchanged when it is near enough. */
function step(previous: number | undefined, target: number): number {
  if (previous === undefined) return ORDINARY;
  if (Math.abs(target - previous) < DEAD_BAND * previous) return previous;
  const most = Math.max(1, FASTEST * previous);
  return clamp(Math.round(previous + clamp(target - previous, -most, most)), FLOOR, CEILING);
}

export const performance: RoutingPolicy<Options> = {
  name: 'performance',
  about: 'More new sessions for instances with less load, latency and errors; slowly and within bounds.',
  options: Options,
  live: true,
  apply(options, instances, { signals, previous }) {
    const of = ({ id }: FleetInstance): LoadSignals | undefined => signals.get(id);
    const pool = instances.map(of).filter((one) => one !== undefined);
    const found = new Map(
      instances.map((instance) => {
        const own = of(instance);
        return [instance.id, own === undefined ? [] : inputs(own, pool, options)] as const;
      }),
    );
    const ease = new Map([...found].map(([id, list]) => [id, 1 - strainOf(list, options.weights)]));
    const mean = [...ease.values()].reduce((sum, one) => sum + one, 0) / Math.max(1, ease.size);
    const weights = new Map<string, number>();
    const reasons = new Map<string, string>();
    for (const { id } of instances) {
      const target =
        mean <= 0 ? ORDINARY : clamp(Math.round((ORDINARY * (ease.get(id) ?? mean)) / mean), FLOOR, CEILING);
      const weight = step(previous.get(id), target);
      weights.set(id, weight);
      const list = found.get(id) ?? [];
      const told = list.length === 0 ? 'nothing is known of it yet' : list.map(({ text }) => text).join(', ');
      reasons.set(id, `weight ${weight}${weight === target ? '' : ` on the way to ${target}`}: ${told}`);
    }
    return { cluster: { lb_policy: 'ROUND_ROBIN' }, weights, reasons };
  },
};
