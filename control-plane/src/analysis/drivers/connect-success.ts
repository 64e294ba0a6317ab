/** Attempts to open a session that fail, also those that were made good by another attempt. */
import { z } from 'zod';
import { compare } from '../compare.ts';
import type { Metric } from '../metric.ts';

const Options = z.strictObject({
  tolerance: z.number().min(0).max(1).default(0.01),
  /** Passes only after so many sessions that a version worse by this share would have shown it. */
  detect: z.number().min(0.01).max(1).default(0.1),
});

export const connectSuccess: Metric<z.infer<typeof Options>> = {
  name: 'connect-success',
  about:
    'Failed attempts to open a session; `tolerance` more than on the old version is no matter (0.01 = 1 %); waits until `detect` more would have shown.',
  options: Options,
  create:
    ({ tolerance, detect }) =>
    async (input) =>
      compare(
        {
          what: 'attempts to connect failed',
          canary: { bad: input.canary.failures, all: input.canary.attempts },
          stable: { bad: input.stable.failures, all: input.stable.attempts },
          tolerance,
          alone: tolerance,
          detect,
        },
        input,
      ),
};
