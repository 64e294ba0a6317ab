/** Time to the agent's 101. */
import { z } from 'zod';
import { compare } from '../compare.ts';
import type { Metric } from '../metric.ts';
import { quantile, slowerThan } from '../statistics.ts';

const Options = z.strictObject({
  /** Milliseconds that a handshake may take. */
  p99: z.number().min(1).default(500),
  /** Nor is one slow that takes less than this many times the old version's 99th percentile. */
  factor: z.number().min(1).default(2),
});

/** One stall of a process slows some at once: of fewer than this, those are a great share. */
const ENOUGH = 300;

export const handshakeLatency: Metric<z.infer<typeof Options>> = {
  name: 'handshake-latency',
  about:
    'Time to the 101: more handshakes (2 %; of fewer than 300: 20 %) take longer than `p99` (ms) and than `factor` times the 99th percentile of the old version.',
  options: Options,
  create:
    ({ p99, factor }) =>
    async (input) => {
      // Not the 99th percentile itself: of a small sample that is its slowest one, and the first handshakes of a new process are slow.
      const limit = Math.max(p99, factor * (quantile(input.stable.handshakes, 0.99) ?? 0));
      const canary = slowerThan(input.canary.handshakes, limit);
      const what = `handshakes took more than ${Math.round(limit)} ms`;
      if (canary.all < input.minSample)
        return { verdict: 'waiting', message: `${canary.bad} of ${canary.all} ${what}; ${input.minSample} are needed` };
      const tolerance = canary.all < ENOUGH ? 0.2 : 0.02;
      return compare(
        { what, canary, stable: slowerThan(input.stable.handshakes, limit), tolerance, alone: tolerance },
        input,
      );
    },
};
