/** Carries every rollout on: from what is known of its instances to what the registry is asked to write. Pure. */
import type { RolloutAction, RolloutReason } from '../model/reasons.ts';
import type { Instance } from '../model/instance.ts';
import { isActive, type Rollout } from '../model/rollout.ts';
import type { RegistryView, RolloutWrite } from '../registry/registry.ts';
import { wantedOf } from '../registry/wanted.ts';
import { advance, type RolloutFacts } from '../rollout/advance.ts';
import { judgementOf } from '../rollout/judgement.ts';
import { isLive } from '../model/drain.ts';

/** Envoy gives a new instance nothing before a check of its own has passed: for so long it does not count. */
const SETTLE_MS = 1_000;

/** Clients get in there. */
export type Serves = (instance: Instance) => boolean;

function factsOf(
  view: RegistryView,
  rollout: Rollout,
  instances: readonly Instance[],
  serves: Serves,
  now: number,
  wokeAt: number,
): RolloutFacts {
  const service = view.services.get(rollout.service)?.value;
  const live = instances.filter(isLive);
  const serving = live.filter(
    (instance) =>
      instance.state === 'ready' &&
      now - Date.parse(instance.readyAt ?? instance.since) >= SETTLE_MS &&
      serves(instance),
  );
  const failed = live.find((instance) => instance.version === rollout.to && instance.state === 'failed');
  return {
    now,
    wokeAt,
    wanted: service === undefined ? 0 : wantedOf(view, service),
    ready: serving.filter((instance) => instance.version === rollout.to).length,
    others: serving.filter((instance) => instance.version !== rollout.to).length,
    stableReady: serving.filter((instance) => instance.version === rollout.from).length,
    failure: failed === undefined ? undefined : `instance ${failed.id} of version ${rollout.to} ${failed.message}`,
    judgement: judgementOf(rollout),
  };
}

/** `wokeAt`: since then this process has been there without a standstill. */
export function advanceRollouts(view: RegistryView, serves: Serves, now: number, wokeAt: number): RolloutWrite[] {
  const writes: RolloutWrite[] = [];
  for (const { value: rollout, revision } of view.rollouts.values()) {
    if (!isActive(rollout)) continue;
    const instances = [...view.instances.values()]
      .map((held) => held.value)
      .filter((instance) => instance.service === rollout.service);
    const patch = advance(rollout, factsOf(view, rollout, instances, serves, now, wokeAt));
    if (patch === undefined) continue;
    const event = eventOf(patch.phase, patch.reason);
    writes.push({ service: rollout.service, revision, patch, ...(event === undefined ? {} : { event }) });
  }
  return writes;
}

/** Mere progress is not told. */
function eventOf(phase: Rollout['phase'] | undefined, reason: RolloutReason | undefined): RolloutAction | undefined {
  if (phase === 'completed') return 'complete';
  if (phase === 'aborted') return 'abort';
  if (phase === 'paused') return 'pause';
  return reason === undefined ? undefined : 'step';
}
