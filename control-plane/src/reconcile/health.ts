/**
 * The health monitor: runs the checks of every instance at their intervals, spread by jitter and bounded in number, watches their processes,
 * and combines that with what the gateways and the agents say into a verdict. Verdicts are not stored: after a restart a ready instance
 * counts as healthy until something says otherwise, since taking it out on no evidence would end its share of new sessions for nothing.
 */
import { asProbe, whyNotTaken } from '../model/gateway-check.ts';
import type { HealthDetail, HealthReport, Verdict } from '../model/health.ts';
import type { HeldLoadReport } from '../model/load.ts';
import type { Probe } from '../model/probe.ts';
import { durationMs } from '../model/units.ts';
import type { HealthProbe, ProbeLevel, ProbeResult, ProbeTarget } from '../probes/probe.ts';
import { checkReport, continued, newCheckState, noteResult, type CheckState, type NamedCheck } from './check-state.ts';
import { explained } from './elsewhere.ts';
import type { TargetGatewayCheck } from './health-targets.ts';
import { createProcessSweep } from './process-sweep.ts';
import { judge, levelsOf, type Evidence, type GatewayOpinion, type Judgement } from './verdict.ts';

export interface HealthTarget {
  readonly id: string;
  readonly target: ProbeTarget;
  /** The service's probe first. */
  readonly checks: readonly NamedCheck[];
  readonly useReports: boolean;
  readonly gatewayCheck?: TargetGatewayCheck;
  /** While it starts it is probed often, so that it is ready soon. */
  readonly starting: boolean;
}

export interface HealthMonitor {
  /** Replaces the set of what is probed. An unchanged target keeps its state and its timers. */
  sync(targets: readonly HealthTarget[]): void;
  report(id: string): HealthReport | undefined;
  detail(id: string): HealthDetail | undefined;
  /** The verdict alone: cheap, for every instance at every turn. */
  verdict(id: string): Verdict;
  /** Where its process listens, if that is why it can't be connected to. */
  elsewhere(id: string): string | undefined;
  /** What its gateway's own check says. */
  gateway(id: string): HealthReport['gateway'];
  /** Milliseconds since it became unhealthy; undefined: it is not. */
  unhealthyFor(id: string): number | undefined;
  /** Milliseconds of a passed probe, smoothed; undefined: none has passed yet. */
  latency(id: string): number | undefined;
  /** Runs all its checks now. Undefined: it is not watched. */
  checkNow(id: string): Promise<HealthDetail | undefined>;
  /** Something else tells of trouble: it is checked now, and one failure is enough. */
  suspect(id: string): void;
  /** What the gateways or the agent say of it has changed. */
  heard(id: string): void;
  /** Its newest check got no answer at all from its host. */
  unanswered(id: string): boolean;
  close(): void;
}

export interface HealthOptions {
  readonly createProbe: (probe: Probe) => HealthProbe;
  readonly levelOf?: (type: string) => ProbeLevel;
  readonly gatewayOpinion?: (id: string) => GatewayOpinion | undefined;
  readonly reported?: (id: string) => HeldLoadReport | undefined;
  readonly now: () => number;
  /** Milliseconds of a clock that never jumps, and stands still while this process does. */
  readonly monotonic?: () => number;
  /** Milliseconds since the epoch: when this process last began to go on, having stood still. */
  readonly wokeAt?: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** The verdict of this instance has changed, or what the gateway says of it. */
  readonly onChange: (id: string) => void;
  /** Each check's outcome. */
  readonly onResult?: (id: string, result: ProbeResult) => void;
}

/** At most this many checks at a time. */
const CONCURRENCY = 64;
/** While starting: the first check after this many milliseconds, each later one half as long again, up to a second. */
const FIRST_START_PROBE_MS = 40;
const SLOWEST_START_PROBE_MS = 1_000;
/** After a first failure. */
const RECHECK_MS = 1_000;
/** When something else has told of trouble already, a check need not have all its time. */
const SUSPECT_TIMEOUT_MS = 1_000;
const VERDICTS = 20;
const TIMED_OUT = new Error('the check took too long');
const DROPPED = new Error('the instance is no longer checked');

interface Running {
  readonly state: CheckState;
  readonly run: HealthProbe;
  timer: NodeJS.Timeout | undefined;
  attempts: number;
  busy: Promise<void> | undefined;
  /** Of the check that is under way. */
  limit: AbortController | undefined;
}

interface Watched {
  readonly key: string;
  target: HealthTarget;
  readonly checks: readonly Running[];
  dropped: boolean;
  judgement: Judgement;
  gateway: HealthReport['gateway'];
  /** What the gateway's check saw when it was made again from here, since it fails there. */
  gatewayAnswer: string | undefined;
  /** Milliseconds since the epoch, and of the clock that never jumps. */
  since: number;
  sinceMonotonic: number;
  stopped: string | undefined;
  processSeenAt: number | undefined;
  readonly verdicts: { at: string; verdict: Verdict; reason: string }[];
}

function keyOf(target: HealthTarget): string {
  return JSON.stringify([target.target, target.checks, target.starting, target.gatewayCheck]);
}

export function createHealthMonitor(options: HealthOptions): HealthMonitor {
  const { monotonic = () => performance.now(), wokeAt = () => 0, levelOf = () => 'application' as const } = options;
  const watched = new Map<string, Watched>();
  const waiting: (() => void)[] = [];
  let running = 0;
  let closed = false;

  const sweep = createProcessSweep({
    onLook(id, stopped) {
      const entry = watched.get(id);
      if (entry === undefined) return;
      entry.processSeenAt = options.now();
      if (entry.stopped === stopped) return;
      entry.stopped = stopped;
      judgeAnew(entry);
    },
  });

  function delay(entry: Watched, { state, attempts }: Running): number {
    const interval = durationMs(state.check.probe.interval);
    if (entry.target.starting)
      return Math.min(FIRST_START_PROBE_MS * 1.5 ** attempts, SLOWEST_START_PROBE_MS, interval);
    // The first check of a ready instance comes anywhere in its interval, so that a fleet is not probed in one burst.
    // What may be ill is looked at again soon, so that a long interval does not make a late verdict.
    if (state.failures > 0 && state.verdict !== 'unhealthy') return Math.min(RECHECK_MS, interval);
    const wait = attempts === 0 ? interval * options.random() : interval * (0.9 + 0.2 * options.random());
    // Checks are due at tenths of their interval: waking up once for several costs a third of waking up for each.
    const grid = interval / 10;
    const present = options.now();
    return Math.max(1, Math.ceil((present + wait) / grid) * grid - present);
  }

  function schedule(entry: Watched, one: Running): void {
    if (closed || isDropped(entry)) return;
    clearTimeout(one.timer);
    one.timer = setTimeout(
      () => {
        void perform(entry, one, false);
      },
      delay(entry, one),
    );
  }

  async function turn(): Promise<void> {
    if (running < CONCURRENCY) return;
    await new Promise<void>((resolve) => waiting.push(resolve));
  }

  /** Of two wishes at a time one check is made. */
  async function perform(entry: Watched, one: Running, decisive: boolean): Promise<void> {
    one.busy ??= check(entry, one, decisive).finally(() => {
      one.busy = undefined;
      schedule(entry, one);
    });
    await one.busy;
  }

  async function check(entry: Watched, one: Running, decisive: boolean): Promise<void> {
    await turn();
    if (isDropped(entry)) {
      waiting.shift()?.();
      return;
    }
    running += 1;
    const { probe } = one.state.check;
    const most = decisive ? Math.min(SUSPECT_TIMEOUT_MS, durationMs(probe.timeout)) : durationMs(probe.timeout);
    // One controller, its timer cleared when the check has ended: AbortSignal.timeout would fire after each, and that costs more than the check.
    const limit = new AbortController();
    one.limit = limit;
    const timer = setTimeout(() => {
      limit.abort(TIMED_OUT);
    }, most);
    const begun = options.now();
    const result = explained(await one.run(entry.target.target, limit.signal), entry.target.target, one.attempts);
    clearTimeout(timer);
    one.limit = undefined;
    running -= 1;
    waiting.shift()?.();
    if (isDropped(entry)) return;
    one.attempts += 1;
    // Its time ran out while nobody was there to read the answer: that is no failure of the instance.
    if (!result.ok && wokeAt() > begun) return;
    options.onResult?.(entry.target.id, result);
    noteResult(one.state, result, options.now(), decisive);
    judgeAnew(entry);
  }

  /** Asked each time: of an instance that is new it is asked for only when somebody wants to know. */
  const gatewaySays = (id: string): HealthReport['gateway'] => options.gatewayOpinion?.(id)?.state ?? 'unknown';

  /** With what to do about it, where the check itself is what fails. */
  function opinionOf({ id, gatewayCheck }: HealthTarget, answer: string | undefined): GatewayOpinion | undefined {
    const opinion = options.gatewayOpinion?.(id);
    if (opinion?.state !== 'failed' || gatewayCheck === undefined || answer === undefined) return opinion;
    return { ...opinion, reason: whyNotTaken(gatewayCheck, gatewayCheck.isAuto, answer) };
  }

  /** Envoy tells that its check fails, not how: it is made again from here. */
  async function askAgain(entry: Watched): Promise<void> {
    const { gatewayCheck, target, checks } = entry.target;
    const probe = checks[0]?.probe;
    if (gatewayCheck === undefined || probe === undefined) return;
    const run = options.createProbe({ ...probe, ...asProbe(gatewayCheck) });
    const { ok, reason } = await run(target, AbortSignal.timeout(durationMs(gatewayCheck.timeout)));
    if (isDropped(entry) || entry.gateway !== 'failed') return;
    entry.gatewayAnswer = ok ? `${reason} when asked from here, but not the gateway` : reason;
    judgeAnew(entry);
  }

  function evidenceOf({ target, checks, stopped, processSeenAt, gatewayAnswer }: Watched): Evidence {
    return {
      checks: checks.map((one) => one.state),
      stopped,
      processSeenAt: processSeenAt === undefined ? undefined : new Date(processSeenAt).toISOString(),
      gateway: opinionOf(target, gatewayAnswer),
      reported: target.useReports ? options.reported?.(target.id) : undefined,
    };
  }

  function judgeAnew(entry: Watched): void {
    const evidence = evidenceOf(entry);
    const next = judge(evidence);
    const gateway = evidence.gateway?.state ?? 'unknown';
    const changed = next.verdict !== entry.judgement.verdict;
    const gatewayChanged = gateway !== entry.gateway;
    entry.judgement = next;
    entry.gateway = gateway;
    if (gatewayChanged) entry.gatewayAnswer = undefined;
    if (gatewayChanged && gateway === 'failed') void askAgain(entry);
    if (gatewayChanged && !changed) options.onChange(entry.target.id);
    if (!changed) return;
    entry.since = options.now();
    entry.sinceMonotonic = monotonic();
    entry.verdicts.push({ at: new Date(entry.since).toISOString(), ...next });
    if (entry.verdicts.length > VERDICTS) entry.verdicts.shift();
    options.onChange(entry.target.id);
  }

  const isDropped = (entry: Watched): boolean => entry.dropped;

  function drop(entry: Watched): void {
    entry.dropped = true;
    for (const one of entry.checks) {
      clearTimeout(one.timer);
      one.limit?.abort(DROPPED);
    }
  }

  function watch(target: HealthTarget, key: string, old: Watched | undefined): Watched {
    // From starting to ready its verdict goes on; anything else is judged anew.
    const goesOn = old !== undefined && JSON.stringify(old.target.target) === JSON.stringify(target.target);
    const checks = target.checks.map((named): Running => {
      const level = levelOf(named.probe.type);
      const before = goesOn ? old.checks.find((one) => one.state.check.name === named.name)?.state : undefined;
      const state = before === undefined ? newCheckState(named, level) : continued(before, named, level);
      return {
        state,
        run: options.createProbe(named.probe),
        timer: undefined,
        attempts: 0,
        busy: undefined,
        limit: undefined,
      };
    });
    return {
      key,
      target,
      checks,
      dropped: false,
      judgement: goesOn ? old.judgement : { verdict: 'unknown', reason: 'not checked yet' },
      gateway: goesOn ? old.gateway : 'unknown',
      gatewayAnswer: undefined,
      since: goesOn ? old.since : options.now(),
      sinceMonotonic: goesOn ? old.sinceMonotonic : monotonic(),
      stopped: goesOn ? old.stopped : undefined,
      processSeenAt: goesOn ? old.processSeenAt : undefined,
      verdicts: goesOn ? old.verdicts : [],
    };
  }

  function reportOf({ target, judgement, checks, since }: Watched): HealthReport | undefined {
    const main = checks[0]?.state;
    if (main?.last === undefined) return undefined;
    return {
      ...judgement,
      latencyMs: main.last.result.latencyMs,
      checkedAt: new Date(main.last.at).toISOString(),
      consecutiveFailures: main.failures,
      since: new Date(since).toISOString(),
      gateway: gatewaySays(target.id),
    };
  }

  function detail(id: string): HealthDetail | undefined {
    const entry = watched.get(id);
    const report = entry === undefined ? undefined : reportOf(entry);
    if (entry === undefined || report === undefined) return undefined;
    return {
      ...report,
      levels: levelsOf(evidenceOf(entry)),
      checks: entry.checks.map((one) => checkReport(one.state)),
      verdicts: [...entry.verdicts].reverse(),
    };
  }

  return {
    sync(targets) {
      const wanted = new Set(targets.map((target) => target.id));
      for (const [id, entry] of watched) {
        if (wanted.has(id)) continue;
        drop(entry);
        watched.delete(id);
      }
      let moved = targets.length !== watched.size;
      for (const target of targets) {
        const old = watched.get(target.id);
        if (old?.target === target) continue;
        moved = true;
        const key = keyOf(target);
        if (old?.key === key) {
          old.target = target;
          continue;
        }
        if (old !== undefined) drop(old);
        const entry = watch(target, key, old);
        watched.set(target.id, entry);
        for (const one of entry.checks) schedule(entry, one);
      }
      if (moved)
        sweep.sync(
          new Map(targets.flatMap(({ id, target }) => (target.process === undefined ? [] : [[id, target.process]]))),
        );
    },
    gateway: gatewaySays,
    elsewhere: (id) => watched.get(id)?.checks[0]?.state.last?.result.elsewhere,
    verdict: (id) => watched.get(id)?.judgement.verdict ?? 'unknown',
    unhealthyFor(id) {
      const entry = watched.get(id);
      return entry?.judgement.verdict === 'unhealthy' ? monotonic() - entry.sinceMonotonic : undefined;
    },
    latency: (id) => watched.get(id)?.checks[0]?.state.latencyMs,
    report(id) {
      const entry = watched.get(id);
      return entry === undefined ? undefined : reportOf(entry);
    },
    detail,
    async checkNow(id) {
      const entry = watched.get(id);
      if (entry === undefined) return undefined;
      await Promise.all(entry.checks.map(async (one) => perform(entry, one, false)));
      return detail(id);
    },
    suspect(id) {
      const entry = watched.get(id);
      const first = entry?.checks[0];
      if (entry === undefined || first === undefined || entry.judgement.verdict === 'unhealthy') return;
      void perform(entry, first, true);
    },
    unanswered: (id) => watched.get(id)?.checks.some(({ state }) => state.last?.result.unanswered === true) ?? false,
    heard(id) {
      const entry = watched.get(id);
      if (entry !== undefined) judgeAnew(entry);
    },
    close() {
      closed = true;
      sweep.close();
      for (const entry of watched.values()) drop(entry);
      watched.clear();
    },
  };
}
