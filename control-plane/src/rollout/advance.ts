/**
 * The next step of a rollout, as a pure function of its record and what is known now. Nothing is kept beside the record, so it goes on
 * from where it was after any restart: same version, same weight.
 */
import type { RolloutReason } from '../model/reasons.ts';
import type { Measurement, Rollout } from '../model/rollout.ts';
import { durationMs } from '../model/units.ts';
import { isStaged, stagesOf, type Stage, type StagedStrategy } from './stages.ts';

/** The verdict of the metrics at this stage, all together. */
export interface Judgement {
  readonly verdict: Measurement['verdict'];
  readonly message: string;
}

export interface RolloutFacts {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds since the epoch: since then somebody has been there to see progress. */
  readonly wokeAt: number;
  readonly wanted: number;
  /** Instances of the new version that are ready for sessions. */
  readonly ready: number;
  /** Instances of other versions that still take new sessions. */
  readonly others: number;
  /** Ready ones of the old version. */
  readonly stableReady: number;
  /** Why an instance of the new version has given up; undefined: none has. */
  readonly failure: string | undefined;
  /** Undefined: nothing is measured at this stage. */
  readonly judgement: Judgement | undefined;
}

/** Undefined takes a field away. */
export type RolloutPatch = { readonly [K in keyof Rollout]?: Rollout[K] | undefined } & {
  readonly reason?: RolloutReason;
};

/** Reasons of a pause that only a person ends; a rollout that waits for its promotion is measured on. */
const AWAITS_PROMOTION = 'AwaitsPromotion';

/** What is to be written now; undefined: nothing, it waits. */
export function advance(rollout: Rollout, facts: RolloutFacts): RolloutPatch | undefined {
  if (rollout.phase !== 'progressing' && rollout.reason !== AWAITS_PROMOTION) return undefined;
  if (rollout.phase !== 'progressing' && rollout.phase !== 'paused') return undefined;
  if (facts.wanted === 0)
    return complete(facts, `version ${rollout.to} is in force: no instance is wanted, so there is nothing to compare`);
  if (facts.failure !== undefined) return fail(rollout, facts, 'CrashLoop', facts.failure);
  return isStaged(rollout.strategy)
    ? advanceStaged(rollout, rollout.strategy, facts)
    : advanceReplacing(rollout, facts);
}

const at = (facts: RolloutFacts): string => new Date(facts.now).toISOString();

function complete(facts: RolloutFacts, message: string): RolloutPatch {
  return { phase: 'completed', weight: 100, reason: 'Completed', message, since: at(facts), endedAt: at(facts) };
}

function fail(rollout: Rollout, facts: RolloutFacts, reason: RolloutReason, why: string): RolloutPatch {
  if (rollout.strategy.onFailure === 'pause')
    return { phase: 'paused', reason, message: `${why}; waits for a person, as its settings say`, since: at(facts) };
  return {
    phase: 'aborted',
    weight: 0,
    reason,
    message: `${why}: version ${rollout.from} takes all new sessions again`,
    since: at(facts),
    endedAt: at(facts),
  };
}

function pause(facts: RolloutFacts, reason: RolloutReason, message: string): RolloutPatch {
  return { phase: 'paused', reason, message, since: at(facts) };
}

/** Instances are still getting ready: note progress, or give up when there was none for too long. */
function awaitReady(rollout: Rollout, facts: RolloutFacts, needed: number): RolloutPatch | undefined {
  if (facts.ready > rollout.ready) return { ready: facts.ready, stageSince: at(facts) };
  if (facts.ready < rollout.ready) return { ready: facts.ready };
  const limit = rollout.strategy.progressDeadline;
  if (facts.now - Math.max(Date.parse(rollout.stageSince), facts.wokeAt) < durationMs(limit)) return undefined;
  return fail(
    rollout,
    facts,
    'ProgressDeadline',
    `${facts.ready} of ${needed} instances of version ${rollout.to} are ready, and none became so within ${limit}`,
  );
}

function advanceReplacing(rollout: Rollout, facts: RolloutFacts): RolloutPatch | undefined {
  if (facts.ready >= facts.wanted && facts.others === 0)
    return complete(facts, `all ${facts.wanted} instances run version ${rollout.to}`);
  return awaitReady(rollout, facts, facts.wanted);
}

function advanceStaged(rollout: Rollout, strategy: StagedStrategy, facts: RolloutFacts): RolloutPatch | undefined {
  const stages = stagesOf(strategy, facts.wanted);
  const stage = stages[rollout.stage];
  if (stage === undefined) return finish(rollout, facts);
  if (facts.judgement?.verdict === 'fail') return fail(rollout, facts, 'AnalysisFailed', facts.judgement.message);
  if (rollout.weightSince === undefined) {
    // What does not serve is nothing to be careful of.
    if (rollout.stage === 0 && facts.stableReady === 0 && facts.ready > 0)
      return nextStage(rollout, facts.now, stages.length, true);
    if (facts.ready < stage.instances) return awaitReady(rollout, facts, stage.instances);
    return {
      weight: stage.weight,
      weightSince: at(facts),
      ...(rollout.servingSince === undefined && stage.weight > 0 ? { servingSince: at(facts) } : {}),
      ready: facts.ready,
      reason: 'Weight',
      message: `${stage.weight} % of new sessions go to version ${rollout.to}`,
      since: at(facts),
    };
  }
  return holdStage(rollout, strategy, stage, stages.length, facts);
}

/** Past the last stage: the new version has all sessions once it has all instances. */
function finish(rollout: Rollout, facts: RolloutFacts): RolloutPatch | undefined {
  if (facts.ready < facts.wanted) return awaitReady(rollout, facts, facts.wanted);
  return complete(facts, `version ${rollout.to} takes all new sessions`);
}

/** The stage's weight is in force: it stays for its time, and for as long as the metrics need. */
function holdStage(
  rollout: Rollout,
  strategy: StagedStrategy,
  stage: Stage,
  stages: number,
  facts: RolloutFacts,
): RolloutPatch | undefined {
  const { judgement } = facts;
  if (rollout.phase === 'paused') return undefined;
  if (stage.pause === 'manual')
    return pause(facts, AWAITS_PROMOTION, `version ${rollout.to} has ${stage.weight} % and waits for its promotion`);
  const held = facts.now - Date.parse(rollout.weightSince ?? rollout.stageSince);
  const rest = durationMs(stage.pause);
  if (held < rest) return undefined;
  // A stage without a pause, as the last one, is not there to be measured.
  if (rest === 0) return nextStage(rollout, facts.now, stages);
  if (judgement?.verdict === 'inconclusive') return pause(facts, 'Inconclusive', judgement.message);
  if (judgement?.verdict === 'waiting') {
    const patience = strategy.analysis?.patience ?? '0s';
    if (held < Math.max(rest, durationMs(patience))) return undefined;
    return pause(facts, 'Inconclusive', `${judgement.message}; no more came within ${patience}`);
  }
  return nextStage(rollout, facts.now, stages);
}

/** Goes to the next stage, or past the last. Also what a promotion does. */
export function nextStage(rollout: Rollout, now: number, stages: number, skipAll = false): RolloutPatch {
  const since = new Date(now).toISOString();
  const stage = skipAll ? stages : Math.min(stages, rollout.stage + 1);
  return {
    phase: 'progressing',
    stage,
    stageSince: since,
    weightSince: undefined,
    reason: 'NextStage',
    message: stage >= stages ? `version ${rollout.to} is to take over` : `stage ${stage + 1} of ${stages} begins`,
    since,
  };
}
