/** Instances of the new version that end by themselves. */
import { z } from 'zod';
import type { Metric } from '../metric.ts';

const Options = z.strictObject({ most: z.int().min(0).max(1000).default(1) });

export const crashes: Metric<z.infer<typeof Options>> = {
  name: 'crashes',
  about: 'More than `most` ends of instances of the new version that nobody asked for.',
  options: Options,
  create:
    ({ most }) =>
    async ({ canary }) => ({
      verdict: canary.crashes > most ? 'fail' : 'pass',
      message: `instances of version ${canary.version} ended by themselves ${canary.crashes} times; ${most} are allowed`,
    }),
};
