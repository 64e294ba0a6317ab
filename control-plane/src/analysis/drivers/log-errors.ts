/** Lines at level error or above in the agents' logs. */
import { z } from 'zod';
import { compare } from '../compare.ts';
import type { Metric } from '../metric.ts';

const Options = z.strictObject({ tolerance: z.number().min(0).max(1).default(0.1) });

export const logErrors: Metric<z.infer<typeof Options>> = {
  name: 'log-errors',
  about: 'Log lines that tell of an error, as a share of all; `tolerance` as for connect-success.',
  options: Options,
  create:
    ({ tolerance }) =>
    async (input) => {
      const [canary, stable] = await Promise.all([
        input.logsOf(input.canary.version),
        input.logsOf(input.stable.version),
      ]);
      return compare(
        {
          what: 'log lines tell of an error',
          canary: { bad: canary.errors, all: canary.lines },
          stable: { bad: stable.errors, all: stable.lines },
          tolerance,
        },
        // A quiet log is a good sign.
        { ...input, minSample: 0 },
      );
    },
};
