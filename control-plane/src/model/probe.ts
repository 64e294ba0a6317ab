/** Which probe looks at an instance, and how its results become a verdict. */
import { z } from 'zod';
import { PositiveDuration } from './units.ts';

/** Which probe, its own options, and how results become a verdict. The probe's driver checks `options`. */
export const Probe = z
  .strictObject({
    type: z.string().min(1).default('websocket'),
    options: z.record(z.string(), z.unknown()).default({}),
    /** While it is well; after a failure, and as soon as a handshake hangs, it is looked at at once. Envoy's own check is `gateway.healthCheck`. */
    interval: PositiveDuration.default('20s'),
    timeout: PositiveDuration.default('2s'),
    failures: z.int().min(1).max(100).default(3),
    successes: z.int().min(1).max(100).default(1),
    /** An instance that is not ready in this time counts as a failed start. */
    startTimeout: PositiveDuration.default('60s'),
  })
  .meta({ id: 'Probe' });
export type Probe = z.infer<typeof Probe>;

/** Of the probe `http`; the gateway's check is made of them too. */
export const HttpProbeOptions = z.strictObject({
  path: z.string().startsWith('/').max(1024).default('/healthz'),
  /** Inclusive range of statuses that pass. */
  status: z.tuple([z.int().min(100).max(599), z.int().min(100).max(599)]).default([200, 299]),
});
export type HttpProbeOptions = z.infer<typeof HttpProbeOptions>;
