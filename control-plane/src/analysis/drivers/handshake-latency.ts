/** Time to the agent's 101. */
import { z } from 'zod';
import type { Metric } from '../metric.ts';
import { quantile, slower } from '../statistics.ts';

const Options = z.strictObject({
  /** Milliseconds that 99 of 100 handshakes may take. */
  p99: z.number().min(1).default(500),
  /** Slower than the old version by less than this factor at the 99th percentile is no matter. */
  factor: z.number().min(1).default(2),
});

export const handshakeLatency: Metric<z.infer<typeof Options>> = {
  name: 'handshake-latency',
  about:
    'Time to the 101: slower than the old version beyond chance and by `factor` at the 99th percentile, and over `p99` (ms).',
  options: Options,
  create:
    ({ p99, factor }) =>
    async ({ canary, stable, minSample, falseAlarm }) => {
      const [of, before] = [quantile(canary.handshakes, 0.99), quantile(stable.handshakes, 0.99)];
      const count = canary.handshakes.reduce((sum, one) => sum + one.count, 0);
      const figures = `99 % of ${count} handshakes took at most ${of ?? '?'} ms on version ${canary.version}, ${before ?? '?'} ms on version ${stable.version}`;
      if (of === undefined || count < minSample)
        return { verdict: 'waiting', message: `${figures}; ${minSample} are needed for a verdict` };
      if (of <= p99) return { verdict: 'pass', message: figures };
      if (before === undefined) return { verdict: 'fail', message: `${figures}; ${p99} ms are allowed` };
      const chance = slower(canary.handshakes, stable.handshakes);
      if (of >= factor * before && chance < falseAlarm)
        return { verdict: 'fail', message: `${figures}; chance alone gives that with p = ${chance.toExponential(1)}` };
      return { verdict: 'pass', message: figures };
    },
};
