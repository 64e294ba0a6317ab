/**
 * Instances in levels by their tags: those of the first level take all sessions as long as one of them can, then the next level's. Within
 * a level the less loaded of two is taken. Envoy's own priorities do it, so it works while the control plane is away.
 */
import { z } from 'zod';
import type { FleetInstance } from '../../model/fleet.ts';
import { Labels } from '../../model/meta.ts';
import type { PolicyFragment, RoutingPolicy } from '../policy.ts';

const Options = z.strictObject({
  /** An instance belongs to the first level whose tags it all has; `{}` takes all. One that belongs to none gets no session. */
  levels: z
    .array(z.strictObject({ tags: Labels.default({}) }))
    .min(1)
    .max(10),
});
type Options = z.infer<typeof Options>;

const has = (instance: FleetInstance, tags: Readonly<Record<string, string>>): boolean =>
  Object.entries(tags).every(([key, value]) => instance.tags[key] === value);

const inWords = (tags: Readonly<Record<string, string>>): string =>
  Object.keys(tags).length === 0
    ? 'all others'
    : Object.entries(tags)
        .map(([key, value]) => `${key}=${value}`)
        .join(', ');

/** Shared with `tags`, which is levels of one or two. */
export function byLevels(levels: Options['levels'], instances: readonly FleetInstance[]): PolicyFragment {
  const found = instances.map((instance) => ({
    id: instance.id,
    level: levels.findIndex(({ tags }) => has(instance, tags)),
  }));
  return {
    cluster: { lb_policy: 'LEAST_REQUEST' },
    levels: new Map(found.filter(({ level }) => level >= 0).map(({ id, level }) => [id, level])),
    excluded: new Set(found.filter(({ level }) => level < 0).map(({ id }) => id)),
    reasons: new Map(
      found.map(({ id, level }) => [
        id,
        level < 0 ? 'it has the tags of no level' : `level ${level + 1}: ${inWords(levels[level]?.tags ?? {})}`,
      ]),
    ),
  };
}

export const levels: RoutingPolicy<Options> = {
  name: 'levels',
  about: 'Instances with the first level’s tags; when none of them can, the next level’s.',
  options: Options,
  apply: (options, instances) => byLevels(options.levels, instances),
};
