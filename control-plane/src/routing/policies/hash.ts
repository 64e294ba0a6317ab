/** The same value, the same instance: consistent hashing (maglev), which moves few when an instance comes or goes. */
import { z } from 'zod';
import type { JsonObject, RoutingPolicy } from '../policy.ts';

const Name = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\w-]+$/, 'must be letters, digits, hyphens and underscores');
const Source = z.union([
  z.strictObject({ query: Name }),
  z.strictObject({ header: Name }),
  z.strictObject({ cookie: Name }),
  z.strictObject({ clientIp: z.literal(true) }),
]);
/** The first that a request has counts; one with none of them is placed at random. */
const Options = z.strictObject({
  by: z
    .array(Source)
    .min(1)
    .max(8)
    .default([{ clientIp: true }]),
});
type Options = z.infer<typeof Options>;

function source(one: z.infer<typeof Source>): JsonObject {
  if ('query' in one) return { query_parameter: { name: one.query } };
  if ('header' in one) return { header: { header_name: one.header } };
  if ('cookie' in one) return { cookie: { name: one.cookie } };
  return { connection_properties: { source_ip: true } };
}

export const hash: RoutingPolicy<Options> = {
  name: 'hash',
  about: 'The same header, query parameter, cookie or client address always at the same instance.',
  options: Options,
  apply: ({ by }) => ({
    cluster: { lb_policy: 'MAGLEV' },
    route: { hash_policy: by.map((one) => ({ ...source(one), terminal: true })) },
  }),
};
