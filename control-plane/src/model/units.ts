/** Durations and sizes as people write them: `250ms`, `30s`, `5m`, `1h`, `7d`; `512KiB`, `256MiB`, `2GiB`. */
import { z } from 'zod';

const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_UNITS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/;
const SIZE = /^(\d{1,9})(B|KiB|MiB|GiB)$/;

export const Duration = z.string().regex(DURATION, 'must be a duration such as 250ms, 30s, 5m, 1h or 7d');
/** More than nothing. */
export const PositiveDuration = Duration.refine(
  (text) => !DURATION.test(text) || durationMs(text) > 0,
  'must be more than 0',
);
export const Size = z.string().regex(SIZE, 'must be a size such as 512KiB, 256MiB or 2GiB');

/** Milliseconds of a duration that `Duration` has accepted; throws RangeError on anything else. */
export function durationMs(text: string): number {
  const match = DURATION.exec(text);
  if (match === null) throw new RangeError(`not a duration: ${text}`);
  return Number(match[1]) * DURATION_UNITS[match[2] as keyof typeof DURATION_UNITS];
}

/** Bytes of a size that `Size` has accepted; throws RangeError on anything else. */
export function sizeBytes(text: string): number {
  const match = SIZE.exec(text);
  if (match === null) throw new RangeError(`not a size: ${text}`);
  return Number(match[1]) * SIZE_UNITS[match[2] as keyof typeof SIZE_UNITS];
}
