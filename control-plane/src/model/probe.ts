/** Which probe looks at an instance, and how its results become a verdict. */
import { z } from 'zod';
import { PositiveDuration } from './units.ts';

/** Which probe, its own options, and how results become a verdict. The probe's driver checks `options`. */
export const Probe = z
  .strictObject({
    type: z.string().min(1).default('websocket'),
    options: z.record(z.string(), z.unknown()).default({}),
    /** While it is well; after a failure it is looked at every second. Envoy's own check (gateway.healthCheck) is quicker. */
    interval: PositiveDuration.default('20s'),
    timeout: PositiveDuration.default('2s'),
    failures: z.int().min(1).max(100).default(3),
    successes: z.int().min(1).max(100).default(1),
    /** An instance that is not ready in this time counts as a failed start. */
    startTimeout: PositiveDuration.default('60s'),
  })
  .meta({ id: 'Probe' });
export type Probe = z.infer<typeof Probe>;
