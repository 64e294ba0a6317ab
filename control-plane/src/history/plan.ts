/** Which steps a query gets, and from which ring. Pure. */
import { SwitchboardError } from '../model/errors.ts';
import type { HistoryQuery } from './answer.ts';
import { FINEST, LEVELS, keptMs, type Level } from './levels.ts';

const NICE_STEPS_MS = [10, 30, 60, 120, 300, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400].map((s) => s * 1000);
const AUTO_POINTS = 360;
const MOST_POINTS = 1500;

const spoken = (ms: number): string =>
  ms % 86_400_000 === 0 ? `${ms / 86_400_000}d` : ms % 3_600_000 === 0 ? `${ms / 3_600_000}h` : `${ms / 1000}s`;

/** The coarsest level that has the step; it must reach back to `from`. */
function levelFor(stepMs: number, from: number, now: number): number | undefined {
  for (let index = LEVELS.length - 1; index >= 0; index -= 1) {
    const level: Level | undefined = LEVELS[index];
    if (level === undefined || stepMs % level.stepMs !== 0) continue;
    if (now - from <= keptMs(level) + level.stepMs) return index;
  }
  return undefined;
}

export function planOf({ from, to, stepMs }: HistoryQuery, now: number): { stepMs: number; level: number } {
  if (!(from < to)) throw invalid('query.from', 'must be before `to`');
  const longest = keptMs(LEVELS[2]);
  if (stepMs !== undefined) {
    if (stepMs <= 0 || stepMs % FINEST.stepMs !== 0) throw invalid('query.step', 'must be a multiple of 10s');
    if ((to - from) / stepMs > MOST_POINTS)
      throw invalid('query.step', `would give more than ${MOST_POINTS} points: take a longer step or a shorter time`);
    const level = levelFor(stepMs, Math.max(from, now - longest), now);
    if (level === undefined) {
      const kept = Math.max(...LEVELS.filter((one) => stepMs % one.stepMs === 0).map(keptMs));
      throw invalid('query.step', `steps of ${spoken(stepMs)} are kept for ${spoken(kept)} only: take a longer step`);
    }
    return { stepMs, level };
  }
  for (const step of NICE_STEPS_MS) {
    const level = levelFor(step, Math.max(from, now - longest), now);
    if (level !== undefined && (to - from) / step <= AUTO_POINTS) return { stepMs: step, level };
  }
  throw invalid('query.from', 'is too long ago: a year at most');
}

export function invalid(path: string, message: string): SwitchboardError {
  return new SwitchboardError('invalid', `${path}: ${message}`, { issues: [{ path, message }] });
}
