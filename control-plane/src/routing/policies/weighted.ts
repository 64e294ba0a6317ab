/** In proportion to the instances' weights: round robin, since least connections with unequal weights draws retries to a dead instance. */
import { z } from 'zod';
import type { RoutingPolicy } from '../policy.ts';

const Options = z.strictObject({});

export const weighted: RoutingPolicy<z.infer<typeof Options>> = {
  name: 'weighted',
  about: 'In proportion to the weights of the instances.',
  options: Options,
  apply: (_options, instances) => ({
    cluster: { lb_policy: 'ROUND_ROBIN' },
    weights: new Map(instances.map((instance) => [instance.id, instance.weight])),
  }),
};
