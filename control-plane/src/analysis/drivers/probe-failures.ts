/** Health probes that fail. */
import { z } from 'zod';
import { compare } from '../compare.ts';
import type { Metric } from '../metric.ts';

const Options = z.strictObject({ tolerance: z.number().min(0).max(1).default(0.05) });

export const probeFailures: Metric<z.infer<typeof Options>> = {
  name: 'probe-failures',
  about: 'Failed health probes; `tolerance` as for connect-success.',
  options: Options,
  create:
    ({ tolerance }) =>
    async (input) =>
      compare(
        {
          what: 'probes failed',
          canary: { bad: input.canary.probeFailures, all: input.canary.probes },
          stable: { bad: input.stable.probeFailures, all: input.stable.probes },
          tolerance,
          alone: tolerance,
        },
        // Probes come at their own pace: there is no sample to wait for.
        { ...input, minSample: 0 },
      ),
};
