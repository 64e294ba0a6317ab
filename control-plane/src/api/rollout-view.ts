/** A rollout as people want to see it: its stages, and what each version has of instances and sessions now. Pure. */
import type { Instance } from '../model/instance.ts';
import type { Rollout } from '../model/rollout.ts';
import type { Held, RegistryView } from '../registry/registry.ts';
import { wantedOf } from '../registry/wanted.ts';
import { sharesOf } from '../rollout/pools.ts';
import { isStaged, stagesOf } from '../rollout/stages.ts';
import type { RolloutVersion, RolloutView } from './types.ts';
import { sessionsOf, type Observed } from './views.ts';

function versionView(
  number: number,
  rollout: Rollout,
  instances: readonly Instance[],
  observed: Observed,
): RolloutVersion {
  const own = instances.filter((instance) => instance.version === number);
  const share = sharesOf(rollout)?.find(({ version }) => version === number)?.weight;
  return {
    number,
    // Without shares every ready instance takes its part.
    weight: share ?? null,
    instances: own.length,
    ready: own.filter((instance) => instance.state === 'ready' && instance.drain === undefined).length,
    draining: own.filter((instance) => instance.drain !== undefined).length,
    sessions: own.reduce((sum, instance) => sum + sessionsOf(instance, observed.counts), 0),
  };
}

export function rolloutView({ value, revision }: Held<Rollout>, view: RegistryView, observed: Observed): RolloutView {
  const service = view.services.get(value.service)?.value;
  const instances = [...view.instances.values()]
    .map((held) => held.value)
    .filter((instance) => instance.service === value.service);
  const stages =
    service !== undefined && isStaged(value.strategy) ? stagesOf(value.strategy, wantedOf(view, service)) : [];
  return {
    ...value,
    revision,
    stages,
    versions: [value.from, value.to].map((number) => versionView(number, value, instances, observed)),
  };
}
