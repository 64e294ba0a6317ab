/** Only instances that have the tags, or those first and the others when none of them can. */
import { z } from 'zod';
import { Labels } from '../../model/meta.ts';
import type { RoutingPolicy } from '../policy.ts';
import { byLevels } from './levels.ts';

const Options = z.strictObject({
  tags: Labels.refine((tags) => Object.keys(tags).length > 0, 'needs a tag'),
  /** When no instance with the tags can take a session: any other, or 503. */
  otherwise: z.enum(['any', 'none']).default('none'),
});
type Options = z.infer<typeof Options>;

export const tags: RoutingPolicy<Options> = {
  name: 'tags',
  about: 'Instances that have all of `tags`; `otherwise: any` takes others when none of them can.',
  options: Options,
  apply: (options, instances) =>
    byLevels([{ tags: options.tags }, ...(options.otherwise === 'any' ? [{ tags: {} }] : [])], instances),
};
