/**
 * A routing policy of one's own. Named in the settings (`plugins: [./policies/lowest-port.ts]`), a service takes it by
 * `gateway: { policy: { type: lowest-port, options: { most: 2 } } }`. It says which instances get new sessions; Envoy does the picking.
 */
import { z } from 'zod';

interface Instance {
  readonly id: string;
  readonly port: number;
}

const options = z.strictObject({ most: z.number().int().min(1).default(1) });

const lowestPort = {
  name: 'lowest-port',
  about: 'The `most` instances with the lowest ports.',
  options,
  apply({ most }: z.infer<typeof options>, instances: readonly Instance[]) {
    const chosen = new Set([...instances].sort((a, b) => a.port - b.port).slice(0, most));
    const others = instances.filter((one) => !chosen.has(one));
    return {
      cluster: { lb_policy: 'LEAST_REQUEST' },
      excluded: new Set(others.map(({ id }) => id)),
      reasons: new Map(others.map(({ id, port }) => [id, `port ${port} is not among the ${most} lowest`])),
    };
  },
};

export const plugins = { policies: [lowestPort] };
