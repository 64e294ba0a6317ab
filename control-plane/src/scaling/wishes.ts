/** What each signal wishes for: load over target, over the stable window and over the panic window. */
import type { Autoscale, ScaleSample } from '../model/autoscale.ts';
import { durationMs, sizeBytes } from '../model/units.ts';
import type { Windows } from './windows.ts';

export interface Wish {
  readonly signal: string;
  /** Instances, not rounded: 3.2 means a little more than three can take. */
  readonly stable: number;
  readonly panic: number;
  /** How it came about, over each of the two. */
  readonly figures: string;
  readonly panicFigures: string;
}

interface Signal {
  readonly name: string;
  readonly of: (sample: ScaleSample) => number | undefined;
  /** What one instance is to carry of it, and what is added before. */
  readonly target: number;
  readonly extra: number;
  readonly unit: string;
  /** Counted one by one, not measured: a single value is no noise, so a sudden rise need not be waited for until its mean has followed. */
  readonly counted?: true;
}

function signalsOf(policy: Autoscale): Signal[] {
  const signals: Signal[] = [];
  const sessions = (sample: ScaleSample): number | undefined =>
    sample.sessions === undefined ? undefined : sample.sessions + (sample.waiting ?? 0);
  if (policy.sessions !== undefined)
    signals.push({
      name: 'sessions',
      of: sessions,
      target: policy.sessions * policy.utilization,
      extra: 0,
      unit: 'sessions',
      counted: true,
    });
  if (policy.sessions !== undefined && policy.freeSlots !== undefined)
    signals.push({
      name: 'free slots',
      of: sessions,
      target: policy.sessions,
      extra: policy.freeSlots,
      unit: 'sessions',
      counted: true,
    });
  if (policy.cpu !== undefined)
    signals.push({ name: 'cpu', of: ({ cpuCores }) => cpuCores, target: policy.cpu, extra: 0, unit: 'cores' });
  if (policy.memory !== undefined)
    signals.push({
      name: 'memory',
      of: ({ memoryBytes }) => memoryBytes,
      target: sizeBytes(policy.memory),
      extra: 0,
      unit: 'bytes',
    });
  if (policy.load !== undefined)
    signals.push({ name: 'load', of: ({ load }) => load, target: policy.load, extra: 0, unit: 'reported load' });
  return signals;
}

const short = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 0));

export function wishesOf(policy: Autoscale, windows: Windows): Wish[] {
  return signalsOf(policy).flatMap(({ name, of, target, extra, unit, counted }) => {
    const stable = windows.mean(of, durationMs(policy.stableWindow));
    const lately = windows.mean(of, durationMs(policy.panicWindow)) ?? stable;
    if (stable === undefined || lately === undefined) return [];
    const panic = counted === undefined ? lately : Math.max(lately, windows.newest(of) ?? 0);
    const figures = (value: number, when: string): string =>
      `${short(value)} ${unit}${when}${extra === 0 ? '' : ` and room for ${extra} more`} at ${short(target)} an instance`;
    return [
      {
        signal: name,
        stable: (stable + extra) / target,
        panic: (panic + extra) / target,
        figures: figures(stable, ''),
        panicFigures: figures(panic, ' of late'),
      },
    ];
  });
}
