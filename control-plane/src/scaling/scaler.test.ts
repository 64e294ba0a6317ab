import { describe, expect, it } from 'vitest';
import { Autoscale, type ScaleDecision, type ScaleSample } from '../model/autoscale.ts';
import { floorAt, scheduleIssues } from './floors.ts';
import { createScaler, type Scaler } from './scaler.ts';

const T0 = Date.parse('2026-01-05T00:00:00.000Z');
const TICK = 2_000;

/** A service whose instances are ready `startTicks` after they are wanted, under a load that is a function of time. */
function run(
  scaler: Scaler,
  {
    ticks,
    from = 0,
    replicas = 1,
    startTicks = 1,
  }: { ticks: number; from?: number; replicas?: number; startTicks?: number },
  load: (tick: number) => Partial<ScaleSample>,
): ScaleDecision[] {
  const decisions: ScaleDecision[] = [];
  const wanted: number[] = [];
  let present = replicas;
  for (let tick = from; tick < from + ticks; tick += 1) {
    const ready = Math.min(present, wanted[wanted.length - startTicks] ?? replicas);
    const decision = scaler.decide({ at: T0 + tick * TICK, ready, replicas: present, ...load(tick) });
    present = decision.to;
    wanted.push(present);
    decisions.push(decision);
  }
  return decisions;
}

const moves = (decisions: readonly ScaleDecision[]): ScaleDecision[] => decisions.filter((one) => one.from !== one.to);
const policy = (given: object): Autoscale => Autoscale.parse(given);
const last = (decisions: readonly ScaleDecision[]): ScaleDecision => {
  const found = decisions.at(-1);
  if (found === undefined) throw new Error('no decision');
  return found;
};

/** Seeded: the same noise in every run. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

describe('the autoscaler', () => {
  it('answers a load step at its first look, and says why', () => {
    const scaler = createScaler(policy({ sessions: 100, max: 20 }));
    run(scaler, { ticks: 60 }, () => ({ sessions: 10 }));
    const after = run(scaler, { ticks: 10, from: 60 }, () => ({ sessions: 500 }));
    // Five hold them all; the eight that keep each at 70 % come as the rate allows.
    expect(after[0]).toMatchObject({ from: 1, to: 5, reason: 'Panic' });
    expect(after[0]?.message).toContain('500 sessions of late at 70 an instance');
    // 500 / (100 x 0.7) = 7.1; from 1, four more at a time.
    const settled = run(scaler, { ticks: 40, from: 70, replicas: last(after).to }, () => ({ sessions: 500 }));
    expect(last(settled).to).toBe(8);
  });

  it('does not flap over a noisy hour', () => {
    const random = noise(7);
    const scaler = createScaler(policy({ sessions: 100, max: 20 }));
    const decisions = run(scaler, { ticks: 1_800, replicas: 5 }, () => ({
      sessions: Math.round(350 * (0.85 + 0.3 * random())),
    }));
    expect(moves(decisions).length).toBeLessThanOrEqual(1);
  });

  it('waits for the mean of what is measured, not counted', () => {
    const scaler = createScaler(policy({ cpu: 0.5, max: 20 }));
    run(scaler, { ticks: 60, replicas: 2 }, () => ({ cpuCores: 0.9 }));
    const spike = run(scaler, { ticks: 20, from: 60, replicas: 2 }, (tick) => ({ cpuCores: tick === 60 ? 2.4 : 0.9 }));
    expect(moves(spike)).toEqual([]);
  });

  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'answers the first burst of a noisy hour, and comes to rest where the next are no panic (seed %i)',
    (seed) => {
      const random = noise(seed);
      const scaler = createScaler(policy({ sessions: 100, max: 20 }));
      const decisions = run(scaler, { ticks: 1_800, replicas: 5 }, (tick) => ({
        sessions: Math.round(350 * (0.85 + 0.3 * random()) * (tick % 100 === 99 ? 1.9 : 1)),
      }));
      const directions = moves(decisions).map((one) => Math.sign(one.to - one.from));
      // Up once, down a step at a time, and never up again.
      expect(directions).toEqual([1, ...directions.slice(1).map(() => -1)]);
      expect(last(decisions).to).toBeGreaterThanOrEqual(6);
    },
  );

  it('goes down slowly: the highest wish of the last minutes counts, and one at a time', () => {
    const scaler = createScaler(policy({ sessions: 100, max: 20 }));
    run(scaler, { ticks: 300, replicas: 8 }, () => ({ sessions: 500 }));
    const after = run(scaler, { ticks: 400, from: 300, replicas: 8 }, () => ({ sessions: 60 }));
    const downs = moves(after);
    expect(downs.length).toBeGreaterThan(3);
    expect(Date.parse(downs[0]?.at ?? '') - (T0 + 299 * TICK)).toBeGreaterThanOrEqual(300_000);
    for (const one of downs) expect(one.from - one.to).toBe(1);
    for (const [index, one] of downs.slice(1).entries())
      expect(Date.parse(one.at) - Date.parse(downs[index]?.at ?? '')).toBeGreaterThanOrEqual(60_000);
  });

  it('never goes down on history that it does not have', () => {
    const scaler = createScaler(policy({ sessions: 100, max: 20 }));
    const decisions = run(scaler, { ticks: 149, replicas: 8 }, () => ({ sessions: 10 }));
    expect(moves(decisions)).toEqual([]);
    expect(last(decisions).reason).toBe('Learning');
  });

  it('takes what is not known for no reason to move', () => {
    const scaler = createScaler(policy({ sessions: 100, cpu: 0.5 }));
    const decisions = run(scaler, { ticks: 400, replicas: 4 }, () => ({}));
    expect(moves(decisions)).toEqual([]);
    expect(last(decisions).message).toBe('no signal is known');
  });

  it('follows the strongest of several signals', () => {
    const scaler = createScaler(policy({ sessions: 100, cpu: 0.5, memory: '100MiB', load: 0.5 }));
    const load = (): Partial<ScaleSample> => ({ sessions: 10, cpuCores: 3, memoryBytes: 2 ** 20, load: 0.1 });
    const decisions = run(scaler, { ticks: 30, replicas: 2 }, load);
    expect(last(decisions).to).toBe(6);
    expect(last(decisions).wishes.find((one) => one.signal === 'cpu')?.instances).toBe(6);
  });

  it('keeps free slots beside what is open', () => {
    const scaler = createScaler(policy({ sessions: 10, utilization: 1, freeSlots: 15 }));
    expect(last(run(scaler, { ticks: 30, replicas: 1 }, () => ({ sessions: 20 }))).to).toBe(4);
  });

  it('obeys its bounds, its rate and its schedule', () => {
    const bounded = createScaler(policy({ sessions: 1, min: 2, max: 6 }));
    expect(run(bounded, { ticks: 1, replicas: 1 }, () => ({ sessions: 0 }))[0]).toMatchObject({
      to: 2,
      reason: 'Floor',
    });
    expect(last(run(bounded, { ticks: 30, from: 1, replicas: 2 }, () => ({ sessions: 99 }))).to).toBe(6);
    const rated = createScaler(policy({ sessions: 1, max: 100, scaleUp: { instances: 2, share: 0 } }));
    const [first, ...rest] = run(rated, { ticks: 7, replicas: 1 }, () => ({ sessions: 90 }));
    expect(first?.to).toBe(3);
    expect(rest.slice(0, 6).every((one) => one.to === 3)).toBe(true);
    const floor = policy({ schedule: [{ cron: '0 8 * * 1-5', for: '2h', replicas: 5 }] });
    expect(floorAt(floor, Date.parse('2026-01-05T08:00:00Z'))).toEqual({ replicas: 5, cron: '0 8 * * 1-5' });
    expect(floorAt(floor, Date.parse('2026-01-05T09:59:00Z')).replicas).toBe(5);
    expect(floorAt(floor, Date.parse('2026-01-05T10:01:00Z')).replicas).toBe(1);
    expect(floorAt(floor, Date.parse('2026-01-04T08:30:00Z')).replicas).toBe(1);
  });

  it('stops what idles, and starts one as soon as somebody waits', () => {
    const scaler = createScaler(policy({ min: 0, zero: { idle: '60s' } }));
    const busy = run(scaler, { ticks: 60, replicas: 1 }, () => ({ sessions: 1 }));
    expect(moves(busy)).toEqual([]);
    const idle = run(scaler, { ticks: 32, from: 60, replicas: 1 }, () => ({ sessions: 0 }));
    expect(last(idle)).toMatchObject({ to: 0 });
    expect(moves(idle)[0]).toMatchObject({ reason: 'Idle' });
    const [woken] = run(scaler, { ticks: 1, from: 92, replicas: 0 }, () => ({ sessions: 0, waiting: 50 }));
    expect(woken).toMatchObject({ to: 1, reason: 'FromZero', message: '50 clients wait for an instance' });
  });

  it('begins anew when the clock is set', () => {
    const scaler = createScaler(policy({ sessions: 100 }));
    run(scaler, { ticks: 300, replicas: 4 }, () => ({ sessions: 200 }));
    const back = run(scaler, { ticks: 100, from: -5_000, replicas: 4 }, () => ({ sessions: 0 }));
    expect(moves(back)).toEqual([]);
  });

  it.each([
    [{}, 'sessions'],
    [{ sessions: 10, min: 5, max: 2 }, 'max'],
    [{ cpu: 1, freeSlots: 3 }, 'freeSlots'],
    [{ sessions: 10, min: 0 }, 'min'],
    [{ sessions: 0 }, 'sessions'],
    [{ webhook: 'file:///etc/passwd' }, 'webhook'],
  ])('refuses %j', (given, path) => {
    const result = Autoscale.safeParse(given);
    expect(result.error?.issues.map((issue) => issue.path.join('.'))).toContain(path);
  });

  it('names what is wrong with a schedule', () => {
    const bad = policy({ schedule: [{ cron: '99 * * * *', for: '1h', replicas: 2 }] });
    expect(scheduleIssues(bad)).toMatchObject([{ path: 'schedule.0.cron' }]);
    const zone = policy({ schedule: [{ cron: '0 8 * * *', timezone: 'Mars/Base', for: '1h', replicas: 2 }] });
    expect(scheduleIssues(zone)).toMatchObject([{ path: 'schedule.0.cron' }]);
  });
});
