/** Any instance, with equal chance. */
import { z } from 'zod';
import type { RoutingPolicy } from '../policy.ts';

const Options = z.strictObject({});

export const random: RoutingPolicy<z.infer<typeof Options>> = {
  name: 'random',
  about: 'Any instance, with equal chance.',
  options: Options,
  apply: () => ({ cluster: { lb_policy: 'RANDOM' } }),
};
