/** Sessions that the agent or the network ends soon after they were opened. */
import { z } from 'zod';
import { compare } from '../compare.ts';
import type { Metric } from '../metric.ts';

const Options = z.strictObject({
  tolerance: z.number().min(0).max(1).default(0.01),
  detect: z.number().min(0.01).max(1).default(0.2),
});

export const earlyEnds: Metric<z.infer<typeof Options>> = {
  name: 'early-ends',
  about:
    'Sessions that end within their first 30 s on the side of their agent, which closes too when a client says goodbye; `tolerance` and `detect` as for connect-success.',
  options: Options,
  create:
    ({ tolerance, detect }) =>
    async (input) =>
      compare(
        {
          what: 'sessions ended early',
          canary: { bad: input.canary.brokenEarly, all: input.canary.opened },
          stable: { bad: input.stable.brokenEarly, all: input.stable.opened },
          tolerance,
          detect,
        },
        input,
      ),
};
