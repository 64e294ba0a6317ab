/** One instance's next step, as a pure function of its record and what is known of it now. The loop performs the step. */
import type { Instance } from '../model/instance.ts';
import { closesAtDeadline } from '../model/drain.ts';
import type { HealthRules, Verdict } from '../model/health.ts';
import type { Probe } from '../model/probe.ts';
import { given, type FailureReason } from '../model/reasons.ts';
import type { Restart } from '../model/service.ts';
import { durationMs } from '../model/units.ts';
import type { InstancePatch } from '../registry/registry.ts';
import { afterFailure } from './failure.ts';

export type Step =
  | { readonly do: 'write'; readonly patch: InstancePatch; readonly event?: string }
  | { readonly do: 'start' }
  /** Ends the process, then deletes the record. */
  | { readonly do: 'stop'; readonly graceMs: number; readonly event: string }
  /** Ends the process, then writes the failure. */
  | { readonly do: 'fail'; readonly graceMs: number; readonly patch: InstancePatch; readonly event: string }
  | { readonly do: 'delete'; readonly event?: string }
  /** Ends what is still open, as far as that is possible without ending the instance. */
  | { readonly do: 'end-sessions' }
  | { readonly do: 'wait'; readonly until?: number };

export interface Facts {
  readonly now: number;
  readonly random: number;
  /** Milliseconds since the epoch: since then this process has been there without a standstill. */
  readonly wokeAt: number;
  /** Nothing speaks against sending it sessions. */
  readonly healthy: boolean;
  /** Milliseconds since it became unhealthy; undefined: it is not. */
  readonly unhealthyFor: number | undefined;
  readonly health: HealthRules | undefined;
  readonly healthReason: () => string;
  /** Where its process listens, if not where it should. Asked only while starting. */
  readonly elsewhere?: () => string | undefined;
  /** Undefined: not known, so never taken for none. Asked only while draining. */
  readonly sessions: () => number | undefined;
  /** Every connected gateway has acknowledged that it gets no new sessions. Asked only while draining. */
  readonly drainAcked: () => boolean;
  /** What its launch needs and is not there: a sentence without full stop. Asked only while it is to be started, or waits for that. */
  readonly missing: () => string | undefined;
  /** Why it may not be started yet. Asked only while pending. */
  readonly waitsFor: () => string | undefined;
  readonly probe: Probe | undefined;
  readonly restart: Restart;
}

/** A connection that a gateway placed just before it acknowledged the drain shows in the session table within this time. */
const DRAIN_SETTLE_MS = 1_000;

/** From SIGTERM to SIGKILL for one that is ill: it hardly listens. */
const UNHEALTHY_GRACE_MS = 2_000;

/** Its next step is to wait, whatever else is known of it: so it is with nearly all of a fleet at nearly all times. */
export function isSettled({ state, drain }: Instance, verdict: Verdict): boolean {
  return state === 'ready' && drain === undefined && verdict !== 'unhealthy';
}

export function nextStep(instance: Instance, facts: Facts): Step {
  if (instance.drain?.then === 'keep' && (instance.state === 'ready' || instance.state === 'draining'))
    return drainAndKeep(instance, facts);
  if (instance.drain !== undefined)
    return instance.runtime === 'external' ? drainExternal(instance, facts) : drainManaged(instance, facts);
  return instance.runtime === 'external' ? externalStep(instance, facts) : managedStep(instance, facts);
}

const at = (now: number): string => new Date(now).toISOString();

function managedStep(instance: Instance, facts: Facts): Step {
  const { now } = facts;
  switch (instance.state) {
    case 'pending': {
      const missing = facts.missing();
      if (missing !== undefined) return lacks(instance, facts, missing);
      const waiting = facts.waitsFor();
      if (waiting === undefined) return { do: 'start' };
      if (instance.message === waiting) return { do: 'wait' };
      return {
        do: 'write',
        patch: { reason: 'WaitsForDependency', message: waiting },
        event: `instance ${instance.id} ${waiting}`,
      };
    }
    case 'starting': {
      if (facts.healthy) return becomeReady(instance, facts);
      const limit = durationMs(facts.probe?.startTimeout ?? '60s');
      // While nobody looked it could not become ready.
      const until = Math.max(Date.parse(instance.since), facts.wokeAt) + limit;
      if (now < until) return toldElsewhere(instance, facts) ?? { do: 'wait', until };
      const message = `was not ready within ${facts.probe?.startTimeout ?? '60s'}: ${facts.healthReason()}`;
      const patch = afterFailure(instance, facts.restart, { reason: 'StartTimeout', message }, now, facts.random);
      return { do: 'fail', graceMs: 5_000, patch, event: `instance ${instance.id} ${message}` };
    }
    case 'backoff': {
      const until = instance.retryAt === undefined ? 0 : Date.parse(instance.retryAt);
      if (now < until) return { do: 'wait', until };
      return {
        do: 'write',
        patch: {
          state: 'pending',
          reason: 'Retry',
          message: 'is started again',
          since: at(now),
          restarts: instance.restarts + 1,
          retryAt: undefined,
        },
      };
    }
    case 'stopping':
    case 'stopped':
    case 'draining':
    case 'unknown':
      // Without a drain these are left over from a cancelled one: what is true will be seen again from the start.
      return {
        do: 'write',
        patch: {
          state: instance.process === undefined ? 'pending' : 'starting',
          reason: 'Resumed',
          message: 'is wanted again',
          since: at(now),
        },
      };
    case 'ready':
      return whileUnhealthy(instance, facts);
    case 'failed':
      return instance.reason === ('Missing' satisfies FailureReason) ? whileMissing(instance, facts) : { do: 'wait' };
  }
}

/** An agent that does not take the address it is given would be waited for until its time is over without a word. */
function toldElsewhere(instance: Instance, { elsewhere }: Facts): Step | undefined {
  const where = elsewhere?.();
  if (where === undefined || instance.message.includes(where)) return undefined;
  return {
    do: 'write',
    patch: { reason: 'ListensElsewhere', message: `waiting for its probe; its agent ${where}` },
    event: `the agent of instance ${instance.id} ${where}`,
  };
}

const LOOK_FOR_MISSING_MS = 1_000;

/** What is known to fail is not tried: it has failed, and says what to do. */
function lacks(instance: Instance, { now }: Facts, missing: string): Step {
  const message = `can not be started: ${missing}; it starts by itself once that is there`;
  if (instance.state === 'failed' && instance.message === message)
    return { do: 'wait', until: now + LOOK_FOR_MISSING_MS };
  const since = instance.state === 'failed' ? instance.since : at(now);
  return {
    do: 'write',
    patch: { state: 'failed', reason: 'Missing', message, since, retryAt: undefined },
    ...(instance.state === 'failed' ? {} : { event: `instance ${instance.id} ${message}` }),
  };
}

function whileMissing(instance: Instance, facts: Facts): Step {
  const missing = facts.missing();
  if (missing !== undefined) return lacks(instance, facts, missing);
  return {
    do: 'write',
    patch: { state: 'pending', reason: 'Retry', message: 'is started: what it lacked is there', since: at(facts.now) },
    event: `instance ${instance.id} is started: what it lacked is there`,
  };
}

/** An instance that stays unhealthy is ended only if its service says so: its sessions end with it. */
function whileUnhealthy(instance: Instance, facts: Facts): Step {
  const { unhealthyFor, health, now } = facts;
  if (unhealthyFor === undefined || health?.onUnhealthy !== 'restart') return { do: 'wait' };
  const left = durationMs(health.restartAfter) - unhealthyFor;
  if (left > 0) return { do: 'wait', until: now + left };
  const message = `was unhealthy for ${health.restartAfter}: ${facts.healthReason()}`;
  const patch = afterFailure(instance, facts.restart, { reason: 'Unhealthy', message }, now, facts.random);
  return {
    do: 'fail',
    graceMs: UNHEALTHY_GRACE_MS,
    patch,
    event: `instance ${instance.id} ${message}; it is started again, and its sessions end`,
  };
}

function becomeReady(instance: Instance, facts: Facts): Step {
  const since = at(facts.now);
  return {
    do: 'write',
    patch: { state: 'ready', reason: 'ProbePassed', message: facts.healthReason(), since, readyAt: since },
    event: `instance ${instance.id} is ready`,
  };
}

/** Nothing is started here: one that does not answer is looked at until it does. */
function externalStep(instance: Instance, facts: Facts): Step {
  if (instance.state !== 'ready' && facts.healthy) return becomeReady(instance, facts);
  if (instance.state !== 'unknown' || facts.unhealthyFor === undefined) return { do: 'wait' };
  const message = `does not pass its probe: ${facts.healthReason()}`;
  return {
    do: 'write',
    patch: { state: 'failed', reason: 'ProbeFailed', message, since: at(facts.now) },
    event: `instance ${instance.id} is not ready: ${message}`,
  };
}

/** True when nobody can be on it any more, or its time is over. */
function drainIsOver(instance: Instance, facts: Facts): 'empty' | 'deadline' | undefined {
  const drain = instance.drain;
  if (drain === undefined) return undefined;
  if (facts.now >= Date.parse(drain.deadline) && closesAtDeadline(drain)) return 'deadline';
  const settled = facts.now - Date.parse(instance.since) >= DRAIN_SETTLE_MS && facts.drainAcked();
  return settled && facts.sessions() === 0 ? 'empty' : undefined;
}

function becomeDraining(instance: Instance, facts: Facts): Step {
  const reason = instance.drain?.reason ?? 'Drain';
  const mayEnd = instance.drain === undefined || closesAtDeadline(instance.drain);
  return {
    do: 'write',
    patch: {
      state: 'draining',
      reason: given(reason),
      message: `takes no new sessions; open ones may go on${mayEnd ? ` until ${instance.drain?.deadline ?? ''}` : ''}`,
      since: at(facts.now),
    },
    event: `instance ${instance.id} is draining (${reason})`,
  };
}

/** For a while: it is emptied and goes on running, until the drain is cancelled. */
function drainAndKeep(instance: Instance, facts: Facts): Step {
  if (instance.state !== 'draining') return becomeDraining(instance, facts);
  const over = drainIsOver(instance, facts);
  if (over === undefined) return { do: 'wait', until: nextLook(instance, facts) };
  if (over === 'deadline' && facts.sessions() !== 0) return { do: 'end-sessions' };
  if (instance.reason === 'Drained') return { do: 'wait' };
  const message = 'no session is open any more: it can be worked on; cancel the drain to put it back';
  return {
    do: 'write',
    patch: { reason: 'Drained', message, since: at(facts.now) },
    event: `instance ${instance.id} is empty`,
  };
}

function drainManaged(instance: Instance, facts: Facts): Step {
  const grace = durationMs(instance.drain?.stopGrace ?? '30s');
  switch (instance.state) {
    case 'pending':
    case 'backoff':
    case 'failed':
    case 'stopped':
    case 'unknown':
      // Stopping what does not run is no error, so a start that was cut short is covered too.
      return { do: 'stop', graceMs: grace, event: `instance ${instance.id} was removed` };
    case 'starting':
      return { do: 'stop', graceMs: grace, event: `instance ${instance.id} was stopped before it was ready` };
    case 'ready':
      return becomeDraining(instance, facts);
    case 'draining': {
      const over = drainIsOver(instance, facts);
      if (over === undefined) return { do: 'wait', until: nextLook(instance, facts) };
      const open = facts.sessions() ?? 0;
      const message =
        over === 'empty'
          ? 'no session is open any more'
          : `its time is over${open === 0 ? '' : ` with ${open} sessions open`}`;
      return {
        do: 'write',
        patch: {
          state: 'stopping',
          reason: over === 'empty' ? 'Drained' : 'DrainDeadline',
          message,
          since: at(facts.now),
        },
        event: `instance ${instance.id} is stopped: ${message}`,
      };
    }
    case 'stopping':
      return { do: 'stop', graceMs: grace, event: `instance ${instance.id} has stopped` };
  }
}

function drainExternal(instance: Instance, facts: Facts): Step {
  if (instance.state !== 'draining') return becomeDraining(instance, facts);
  const over = drainIsOver(instance, facts);
  return over === undefined
    ? { do: 'wait', until: nextLook(instance, facts) }
    : { do: 'delete', event: `instance ${instance.id} was removed` };
}

/** Session counts and ACKs arrive by themselves; this only makes sure that a settled drain is seen soon. */
function nextLook(instance: Instance, facts: Facts): number {
  const deadline = Date.parse(instance.drain?.deadline ?? instance.since);
  return Math.min(deadline > facts.now ? deadline : Infinity, facts.now + (facts.sessions() === 0 ? 250 : 1_000));
}
