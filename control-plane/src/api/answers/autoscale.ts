import { z } from 'zod';
import { Autoscale, Scale, ScaleDecision } from '../../model/autoscale.ts';

export const AutoscaleView = z.strictObject({
  service: z.string(),
  policy: Autoscale,
  scale: Scale.nullable().describe('Null: it has not changed anything yet.'),
  decisions: z.array(ScaleDecision).readonly().describe('Oldest first.'),
});
export type AutoscaleView = Readonly<z.infer<typeof AutoscaleView>>;
