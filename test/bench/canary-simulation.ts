/** One canary over a simulated clock: the real analyst, metrics and steps of a rollout with its default settings, under seeded traffic. */
import { setImmediate as turn } from 'node:timers/promises';
import { DEFAULT_CHECKS, metricDrivers } from '../../control-plane/src/analysis/drivers.ts';
import type { Measure, VersionFigures } from '../../control-plane/src/analysis/metric.ts';
import { createLog } from '../../control-plane/src/log.ts';
import { RolloutStrategy, type Rollout } from '../../control-plane/src/model/rollout.ts';
import { createAnalyst, type AnalystOptions } from '../../control-plane/src/reconcile/analyst.ts';
import { advance, type RolloutPatch } from '../../control-plane/src/rollout/advance.ts';
import { judgementOf } from '../../control-plane/src/rollout/judgement.ts';
import { isStaged, stagesOf } from '../../control-plane/src/rollout/stages.ts';
import { seeded } from '../support/random.ts';

export interface Scenario {
  /** New sessions of the whole service in a second. */
  readonly perSecond: number;
  /** Share of handshakes that fail at any version, and what the new one adds. */
  readonly failing: number;
  readonly excess: number;
  /** Share of clients that any version turns away, and that the new one does. */
  readonly turnedAway?: readonly [any: number, fresh: number];
  /** A client without a right to come that is back each second at the new version, where its cookie brings it. */
  readonly pest?: boolean;
}

export interface Outcome {
  readonly end: 'completed' | 'aborted' | 'paused';
  readonly message: string;
  /** New sessions from the start of the rollout to its end, and those of them that the new version failed beyond what any version fails. */
  readonly sessions: number;
  readonly failed: number;
  /** New sessions in the time that a rollout without a fault takes. */
  readonly planned: number;
  readonly seconds: number;
  /** The greatest share that the new version ever had before the end. */
  readonly weight: number;
}

const WANTED = 10;
const START_S = 5;
/** History tells of whole ten seconds. */
const SLOT_S = 10;
const LONGEST_S = 7_200;
/** 5 s to start, 60 s at each of three steps, twice 5 s for more instances. */
const PLANNED_S = 200;

interface Tally {
  attempts: number;
  failures: number;
  turnedAway: number;
  brokenEarly: number;
  handshakes: Map<number, number>;
}

const emptyTally = (): Tally => ({ attempts: 0, failures: 0, turnedAway: 0, brokenEarly: 0, handshakes: new Map() });

function measureOf(name: string): Measure {
  const metric = metricDrivers.find((one) => one.name === name);
  if (metric === undefined) throw new Error(`there is no metric ${name}`);
  return metric.create(metric.options.parse({}));
}

const measures = new Map(DEFAULT_CHECKS.map((name) => [name as string, measureOf(name)]));

/** Buckets a quarter of a power of two apart, as history's are about. */
const bucketOf = (ms: number): number => 2 ** (Math.ceil(Math.log2(Math.max(1, ms)) * 4) / 4);

export async function simulate(
  seed: number,
  { perSecond, failing, excess, turnedAway = [0, 0], pest = false }: Scenario,
): Promise<Outcome> {
  const random = seeded(seed);
  const unit = (): number => random.below(1_000_000_007) / 1_000_000_007;
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit());
  const strategy = RolloutStrategy.parse({ strategy: 'canary' });
  if (!isStaged(strategy)) throw new Error('a canary has stages');
  const stages = stagesOf(strategy, WANTED);
  let second = 0;
  const at = (): string => new Date(second * 1000).toISOString();
  let rollout: Rollout = {
    kind: 'Rollout',
    service: 'simulated',
    number: 1,
    from: 1,
    to: 2,
    strategy,
    phase: 'progressing',
    stage: 0,
    stageSince: at(),
    weight: 0,
    ready: 0,
    reason: 'Started',
    message: '',
    since: at(),
    measurements: [],
    looks: 0,
    startedAt: at(),
  };
  let revision = 1;
  const patched = (patch: RolloutPatch): void => {
    const merged = { ...rollout, ...patch } as Record<string, unknown>;
    for (const [key, value] of Object.entries(merged)) if (value === undefined) Reflect.deleteProperty(merged, key);
    rollout = merged as unknown as Rollout;
    revision += 1;
  };

  type Slot = Record<1 | 2, Tally>;
  const slots: Slot[] = [];
  const slotOf = (at: number): number => Math.floor(at / SLOT_S);
  const figuresOf = (version: number, since: number): VersionFigures => {
    const all = emptyTally();
    for (const slot of slots.slice(Math.ceil(since / SLOT_S), slotOf(second))) {
      const tally = slot[version as 1 | 2];
      all.attempts += tally.attempts;
      all.failures += tally.failures;
      all.turnedAway += tally.turnedAway;
      all.brokenEarly += tally.brokenEarly;
      for (const [ms, count] of tally.handshakes) all.handshakes.set(ms, (all.handshakes.get(ms) ?? 0) + count);
    }
    return {
      version,
      attempts: all.attempts,
      failures: all.failures,
      turnedAway: all.turnedAway,
      opened: all.attempts - all.failures,
      brokenEarly: all.brokenEarly,
      handshakes: [...all.handshakes].sort(([a], [b]) => a - b).map(([upToMs, count]) => ({ upToMs, count })),
      probes: 0,
      probeFailures: 0,
      crashes: 0,
    };
  };
  const registry = {
    view: () => ({ rollouts: new Map([['simulated', { value: rollout, revision }]]) }),
    writeRollouts: async (writes: readonly { patch: RolloutPatch }[]) => {
      for (const { patch } of writes) patched(patch);
      return Promise.resolve();
    },
  } as unknown as AnalystOptions['registry'];
  const analyst = createAnalyst({
    registry,
    createMeasure: ({ metric }) => measures.get(metric) ?? measureOf(metric),
    defaultChecks: DEFAULT_CHECKS,
    figuresOf: (_service, version, since) => figuresOf(version, since / 1000),
    logsOf: async () => Promise.resolve({ lines: 0, errors: 0 }),
    now: () => second * 1000,
    log: createLog('silent'),
  });

  let [sessions, planned, failed, most, troubleUntil, came] = [0, 0, 0, 0, 0, 0];
  /** Instances of each version that stall in this second. */
  const stalled = { 1: 0, 2: 0 };
  let ready = 0;
  let readyAt = START_S;
  let lastStage = 0;
  /** What a client meets: latency with a long tail, cold new instances, instances that stall for a second, trouble that all versions share. */
  function arrive(version: 1 | 2): void {
    const tally = slots[slotOf(second)]?.[version] ?? emptyTally();
    if (unit() < turnedAway[version === 2 ? 1 : 0]) {
      tally.turnedAway += 1;
      return;
    }
    tally.attempts += 1;
    if (version === 2) came += 1;
    const isCold = version === 2 && came <= 3 * ready;
    const isStalled = random.below(version === 1 ? WANTED : Math.max(1, ready)) < stalled[version];
    const base = failing + (second < troubleUntil ? 0.1 : 0);
    const atFault = version === 2 && unit() < excess;
    if (atFault) failed += 1;
    if (atFault || unit() < base) {
      tally.failures += 1;
      return;
    }
    if (unit() < 0.3) tally.brokenEarly += 1;
    const ms = 15 * Math.exp(0.8 * normal()) * (isCold ? 8 : 1) + (isStalled ? 1_500 * unit() : 0);
    tally.handshakes.set(bucketOf(ms), (tally.handshakes.get(bucketOf(ms)) ?? 0) + 1);
  }
  function traffic(): void {
    slots[slotOf(second)] ??= { 1: emptyTally(), 2: emptyTally() };
    stalled[1] = Array.from({ length: WANTED }, () => random.below(900)).filter((drawn) => drawn === 0).length;
    stalled[2] = Array.from({ length: ready }, () => random.below(900)).filter((drawn) => drawn === 0).length;
    if (random.below(200) === 0) troubleUntil = second + 5;
    const fresh = slots[slotOf(second)]?.[2];
    if (pest && rollout.weight > 0 && fresh !== undefined) fresh.turnedAway += 1;
    // Poisson, by exponential gaps.
    for (let t = -Math.log(1 - unit()) / perSecond; t < 1; t -= Math.log(1 - unit()) / perSecond) {
      if (second < PLANNED_S) planned += 1;
      if (rollout.phase !== 'progressing') continue;
      sessions += 1;
      arrive(100 * unit() < rollout.weight ? 2 : 1);
    }
  }
  let ended = 0;
  for (; second < LONGEST_S && (ended === 0 || second < PLANNED_S); second += 1) {
    traffic();
    if (rollout.phase !== 'progressing') continue;
    const wanted = stages[rollout.stage]?.instances ?? WANTED;
    if (rollout.stage !== lastStage) [lastStage, readyAt] = [rollout.stage, second + START_S];
    if (second >= readyAt) ready = wanted;
    analyst.look();
    await turn();
    const patch = advance(rollout, {
      now: second * 1000,
      wokeAt: 0,
      wanted: WANTED,
      ready,
      others: WANTED,
      stableReady: WANTED,
      failure: undefined,
      judgement: judgementOf(rollout),
    });
    most = Math.max(most, rollout.weight);
    if (patch !== undefined) patched(patch);
    if ((rollout.phase as string) !== 'progressing') ended = second;
  }
  analyst.close();
  if (rollout.phase === 'progressing') throw new Error(`a simulated canary did not end: ${rollout.message}`);
  return { end: rollout.phase, message: rollout.message, sessions, failed, planned, seconds: ended, weight: most };
}
