/** Attempts to open a session that fail, also those that were made good by another attempt. */
import { z } from 'zod';
import { compare } from '../compare.ts';
import type { Metric } from '../metric.ts';

const Options = z.strictObject({ tolerance: z.number().min(0).max(1).default(0.01) });

export const connectSuccess: Metric<z.infer<typeof Options>> = {
  name: 'connect-success',
  about: 'Failed attempts to open a session; `tolerance` more than on the old version is no matter (0.01 = 1 %).',
  options: Options,
  create:
    ({ tolerance }) =>
    async (input) =>
      compare(
        {
          what: 'attempts to connect',
          canary: { bad: input.canary.failures, all: input.canary.attempts },
          stable: { bad: input.stable.failures, all: input.stable.attempts },
          tolerance,
        },
        input,
      ),
};
