/** Commands on rollouts: begun by a change of what a service runs, carried on by the reconcile loop, steered by people. */
import { SwitchboardError } from '../../model/errors.ts';
import { missing } from '../../model/missing.ts';
import type { RolloutAction, RolloutReason } from '../../model/reasons.ts';
import { isActive, stableVersion, type Rollout, type RolloutStrategy, type RolloutVerb } from '../../model/rollout.ts';
import type { Service } from '../../model/service.ts';
import { nextStage, type RolloutPatch } from '../../rollout/advance.ts';
import { isStaged, stagesOf } from '../../rollout/stages.ts';
import { addEvent, checkExpected, newDraft, type CommandContext, type Draft } from '../draft.ts';
import { put, rolloutKey } from '../keys.ts';
import { wantedOf } from '../wanted.ts';
import type { Held, RegistryView, RolloutWrite } from '../registry.ts';

function write(view: RegistryView, draft: Draft, rollout: Rollout): void {
  draft.expect.push({
    key: rolloutKey(rollout.service),
    revision: view.rollouts.get(rollout.service)?.revision ?? 0,
  });
  draft.changes.push(put(rolloutKey(rollout.service), rollout));
}

function tell(draft: Draft, context: CommandContext, rollout: Rollout, action: RolloutAction, message: string): void {
  addEvent(draft, context, {
    action: `rollout.${action}`,
    subject: { kind: 'Rollout', name: rollout.service, service: rollout.service },
    message,
  });
}

/**
 * A change of `service` from what it was to its version of now: a rollout, or the end of one that is taken back. `direct`: the version has
 * served before, so it takes over in one step, whatever stages the strategy has.
 */
export function beginRollout(
  view: RegistryView,
  before: Service,
  service: Service,
  context: CommandContext,
  draft: Draft,
  direct: boolean,
): void {
  const earlier = view.rollouts.get(service.name)?.value;
  const from = stableVersion(before, earlier);
  const now = new Date(context.now()).toISOString();
  if (from === service.version) {
    if (!isActive(earlier)) return;
    const message = `was taken back to version ${from} by ${context.options.actor}`;
    write(view, draft, {
      ...earlier,
      phase: 'aborted',
      weight: 0,
      reason: 'Reverted' satisfies RolloutReason,
      message,
      since: now,
      endedAt: now,
    });
    tell(draft, context, earlier, 'abort', `the rollout of version ${earlier.to} of ${service.name} ${message}`);
    return;
  }
  const rollout: Rollout = {
    kind: 'Rollout',
    service: service.name,
    number: (earlier?.number ?? 0) + 1,
    from,
    to: service.version,
    strategy: service.spec.rollout,
    phase: 'progressing',
    stage: direct ? stageCount(view, service.spec.rollout, service) : 0,
    stageSince: now,
    weight: 0,
    ready: 0,
    reason: 'Started' satisfies RolloutReason,
    message: `instances of version ${service.version} are started`,
    since: now,
    measurements: [],
    looks: 0,
    startedAt: now,
  };
  write(view, draft, rollout);
  tell(
    draft,
    context,
    rollout,
    'start',
    `rollout ${rollout.number} of ${service.name} from version ${from} to ${rollout.to} began (${rollout.strategy.strategy})`,
  );
}

function find(view: RegistryView, service: string): { held: Held<Rollout>; service: Service } {
  const present = view.services.get(service)?.value;
  if (present === undefined) throw missing('service', service, view.services.keys());
  const held = view.rollouts.get(service);
  if (held === undefined) throw new SwitchboardError('not_found', `service ${service} has had no rollout`);
  return { held, service: present };
}

function refuse(rollout: Rollout, verb: string): never {
  const states = { progressing: 'goes on', paused: 'is paused', completed: 'is completed', aborted: 'is aborted' };
  throw new SwitchboardError(
    'conflict',
    `can not ${verb}: rollout ${rollout.number} of ${rollout.service} ${states[rollout.phase]} (${rollout.message})`,
  );
}

function stageCount(view: RegistryView, strategy: RolloutStrategy, service: Service): number {
  return isStaged(strategy) ? stagesOf(strategy, wantedOf(view, service)).length : 0;
}

function steered(
  view: RegistryView,
  rollout: Rollout,
  service: Service,
  verb: RolloutVerb,
  context: CommandContext,
): RolloutPatch {
  const now = context.now();
  const since = new Date(now).toISOString();
  const by = `by ${context.options.actor}`;
  const stages = stageCount(view, rollout.strategy, service);
  switch (verb) {
    case 'pause':
      if (rollout.phase !== 'progressing') refuse(rollout, verb);
      return { phase: 'paused', reason: 'Paused', message: `was paused ${by}`, since };
    case 'resume': {
      if (rollout.phase !== 'paused') refuse(rollout, verb);
      // Its times begin anew: neither its deadline nor its pause went on meanwhile.
      const weight = rollout.weightSince === undefined ? {} : { weightSince: since };
      return {
        phase: 'progressing',
        reason: 'Resumed',
        message: `goes on, ${by}`,
        since,
        stageSince: since,
        ...weight,
      };
    }
    case 'promote':
    case 'promote-full':
      if (!isActive(rollout)) refuse(rollout, verb);
      if (stages === 0)
        throw new SwitchboardError(
          'conflict',
          `can not ${verb}: a ${rollout.strategy.strategy} rollout has no stages; it goes on by itself`,
        );
      return nextStage(rollout, now, stages, verb === 'promote-full');
    case 'abort':
      if (!isActive(rollout)) refuse(rollout, verb);
      return {
        phase: 'aborted',
        weight: 0,
        reason: 'Aborted',
        message: `was aborted ${by}: version ${rollout.from} takes all new sessions again`,
        since,
        endedAt: since,
      };
    case 'retry':
      if (rollout.phase !== 'aborted' || service.version !== rollout.to) refuse(rollout, verb);
      return {
        phase: 'progressing',
        number: rollout.number + 1,
        strategy: service.spec.rollout,
        stage: 0,
        stageSince: since,
        weightSince: undefined,
        servingSince: undefined,
        weight: 0,
        ready: 0,
        reason: 'Retried',
        message: `is tried again, ${by}`,
        since,
        measurements: [],
        looks: 0,
        startedAt: since,
        endedAt: undefined,
      };
  }
}

function patched(rollout: Rollout, patch: RolloutPatch): Rollout {
  const merged = { ...rollout, ...patch } as Record<string, unknown>;
  for (const [key, value] of Object.entries(merged)) if (value === undefined) Reflect.deleteProperty(merged, key);
  return merged as unknown as Rollout;
}

export function steerRollout(view: RegistryView, name: string, verb: RolloutVerb, context: CommandContext): Draft {
  const draft = newDraft();
  const { held, service } = find(view, name);
  checkExpected(context, held.revision, `the rollout of ${name}`);
  const next = patched(held.value, steered(view, held.value, service, verb, context));
  write(view, draft, next);
  draft.report.push({
    kind: 'Rollout',
    name,
    action: 'updated',
    diff: [
      { path: 'phase', before: held.value.phase, after: next.phase },
      { path: 'stage', before: held.value.stage, after: next.stage },
    ].filter((one) => one.before !== one.after),
  });
  tell(draft, context, next, verb, `rollout ${next.number} of ${name}: ${next.message}`);
  return draft;
}

/** The loop's writes, against the newest view: what was decided on an older state of the rollout is passed over. */
export function writeRollouts(
  view: RegistryView,
  writes: readonly RolloutWrite[],
  context: CommandContext,
  draft: Draft,
): void {
  for (const { service, revision, patch, event } of writes) {
    const held = view.rollouts.get(service);
    if (held?.revision !== revision) continue;
    const next = patched(held.value, patch);
    write(view, draft, next);
    if (event !== undefined) tell(draft, context, next, event, `rollout ${next.number} of ${service}: ${next.message}`);
  }
}
