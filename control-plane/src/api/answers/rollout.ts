import { z } from 'zod';
import { Rollout } from '../../model/rollout.ts';

/** What one version of a rollout has now. */
const RolloutVersion = z.strictObject({
  number: z.int(),
  weight: z
    .number()
    .nullable()
    .describe('Percent of new sessions; null: every ready instance of either version takes its part.'),
  instances: z.int().min(0),
  ready: z.int().min(0),
  draining: z.int().min(0),
  sessions: z.int().min(0).describe('Open ones: those of the old version stay until they end.'),
  receiving: z.boolean().describe('False: no new session comes to it.'),
  estimateMs: z
    .number()
    .nullable()
    .describe("Where none comes: milliseconds until its last open session will have ended; null: can't be told."),
  estimateReason: z.string().describe('What the estimate stands on, one sentence.'),
});
export type RolloutVersion = Readonly<z.infer<typeof RolloutVersion>>;

export const RolloutView = Rollout.extend({
  revision: z.int().min(0),
  stages: z
    .array(z.strictObject({ instances: z.int().min(0), weight: z.number(), pause: z.string() }))
    .readonly()
    .describe('Empty for a strategy without stages.'),
  versions: z.array(RolloutVersion).readonly().describe('The old one, then the new one.'),
}).meta({ id: 'RolloutView' });
export type RolloutView = Readonly<z.infer<typeof RolloutView>>;
