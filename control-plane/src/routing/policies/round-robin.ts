/** One after another. */
import { z } from 'zod';
import type { RoutingPolicy } from '../policy.ts';

const Options = z.strictObject({});

export const roundRobin: RoutingPolicy<z.infer<typeof Options>> = {
  name: 'round-robin',
  about: 'One instance after another.',
  options: Options,
  apply: () => ({ cluster: { lb_policy: 'ROUND_ROBIN' } }),
};
