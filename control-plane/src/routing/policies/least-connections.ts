/**
 * The default: Envoy takes the less loaded of `choices` random instances. An open session is one active request, so this is least
 * connections. All weights are equal: with unequal ones a dead instance would draw every retry.
 */
import { z } from 'zod';
import type { RoutingPolicy } from '../policy.ts';

const Options = z.strictObject({ choices: z.int().min(2).max(100).default(2) });
type Options = z.infer<typeof Options>;

export const leastConnections: RoutingPolicy<Options> = {
  name: 'least-connections',
  about: 'The instance with fewer open sessions of `choices` taken at random.',
  options: Options,
  apply: ({ choices }) => ({
    cluster: {
      lb_policy: 'LEAST_REQUEST',
      ...(choices === 2 ? {} : { least_request_lb_config: { choice_count: choices } }),
    },
  }),
};
