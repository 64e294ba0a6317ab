/** A user's plugin for tests: a policy that can ask for what Envoy refuses, and that puts a secret into the cluster. */
import { z } from 'zod';

const Options = z.strictObject({ ring: z.int().default(1024), apiKey: z.string().default('') });
type Options = z.infer<typeof Options>;

export const plugins = {
  policies: [
    {
      name: 'ring',
      about: 'A ring of a given size; above 8388608 Envoy refuses it.',
      options: Options,
      apply: ({ ring, apiKey }: Options) => ({
        cluster: {
          lb_policy: 'RING_HASH',
          ring_hash_lb_config: { minimum_ring_size: ring, maximum_ring_size: ring },
          metadata: { filter_metadata: { example: { api_key: apiKey, kept: 'shown' } } },
        },
      }),
    },
  ],
};
