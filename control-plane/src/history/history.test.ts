/** Recorder, rings and queries together, on a clock that the test moves. */
import { describe, expect, it } from 'vitest';
import { isError } from '../model/errors.ts';
import type { HistoryAnswer, HistoryQuery } from './answer.ts';
import { memorySeries } from './drivers/memory.ts';
import type { Labels } from './metrics.ts';
import { queryHistory } from './query.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { createRings, type Rings } from './rings.ts';
import type { SeriesStore } from './series-store.ts';

const START = Date.UTC(2026, 10, 25, 4, 0, 0);
const A: Labels = { service: 'weather', version: '1', instance: 'weather-a', gateway: 'g' };
const B: Labels = { service: 'weather', version: '2', instance: 'weather-b', gateway: 'g' };
const C: Labels = { service: 'maths', version: '1', instance: 'maths-c', gateway: 'g' };

interface Bench {
  recorder: Recorder;
  rings: Rings;
  /** Moves the clock on, second by second. */
  pass(seconds: number): void;
  ask(query: Partial<HistoryQuery>): HistoryAnswer;
  now: number;
}

function start(store: SeriesStore, at = START, open: () => ReadonlyMap<Labels, number> = () => new Map()): Bench {
  const bench = {
    now: at,
    pass(seconds: number) {
      for (let n = 0; n < seconds; n += 1) {
        bench.now += 1000;
        bench.recorder.tick();
      }
    },
    ask: (query: Partial<HistoryQuery>) =>
      queryHistory(
        bench.rings,
        { metrics: ['connects'], by: [], where: {}, from: START, to: bench.now, limit: 50, ...query },
        bench.now,
        bench.recorder.finished() + 10_000,
      ),
  } as Bench;
  bench.rings = createRings(store, at);
  bench.recorder = createRecorder({
    rings: bench.rings,
    now: () => bench.now,
    look({ observe }) {
      for (const [labels, count] of open()) observe('sessions_open', labels, count);
    },
  });
  return bench;
}

const valuesOf = (answer: HistoryAnswer): (readonly (number | null)[])[] => answer.series.map((one) => one.values);
const total = (answer: HistoryAnswer): number =>
  answer.series.flatMap((one) => one.values).reduce<number>((sum, value) => sum + (value ?? 0), 0);

describe('counters', () => {
  it('are told as rates, by any label, and add up', () => {
    const bench = start(memorySeries());
    for (let n = 0; n < 30; n += 1) {
      bench.recorder.add('connects', n % 3 === 0 ? A : B, 1);
      if (n < 10) bench.recorder.add('connects', C, 2);
      bench.pass(1);
    }
    expect(valuesOf(bench.ask({}))).toEqual([[3, 1, 1]]);
    expect(valuesOf(bench.ask({ stats: ['total'] }))).toEqual([[30, 10, 10]]);
    const byService = bench.ask({ by: ['service'], stats: ['total'] });
    expect(byService.series.map(({ labels }) => labels)).toEqual([{ service: 'weather' }, { service: 'maths' }]);
    expect(valuesOf(byService)).toEqual([
      [10, 10, 10],
      [20, 0, 0],
    ]);
    const versions = bench.ask({ by: ['version'], where: { service: ['weather'] }, stats: ['total'] });
    expect(versions.series.map(({ labels }) => labels)).toEqual([
      { service: 'weather', version: '2' },
      { service: 'weather', version: '1' },
    ]);
    expect(bench.ask({ by: ['instance'], limit: 1 })).toMatchObject({ truncated: 2, stepSeconds: 10, gaps: [] });
  });

  it('are the same in every ring', () => {
    const bench = start(memorySeries());
    for (let n = 0; n < 7_200; n += 10) {
      bench.recorder.add('connects', A, 3);
      bench.pass(10);
    }
    for (const [stepMs, from] of [
      [10_000, bench.now - 3_600_000],
      [60_000, START],
      [3_600_000, START],
    ] as const)
      expect(total(bench.ask({ stats: ['total'], stepMs, from })), String(stepMs)).toBe(
        ((bench.now - from) / 10_000) * 3,
      );
  });
});

describe('gauges', () => {
  it('are averages over time, added over series; what is absent is zero where it means that', () => {
    let open = new Map([
      [A, 4],
      [C, 1],
    ]);
    const bench = start(memorySeries(), START, () => open);
    bench.pass(30);
    open = new Map([[A, 10]]);
    bench.pass(30);
    const query = { metrics: ['sessions_open'], stepMs: 60_000 };
    expect(valuesOf(bench.ask(query))).toEqual([[7.5]]);
    // An upper bound: the two need not have had their most at the same moment.
    expect(valuesOf(bench.ask({ ...query, stats: ['max'] }))).toEqual([[11]]);
    expect(valuesOf(bench.ask({ ...query, by: ['service'] }))).toEqual([[7], [0.5]]);
    bench.recorder.observe('memory', A, 100);
    bench.pass(10);
    bench.pass(50);
    // Known once in a minute is known; it is not a sixth of it.
    expect(valuesOf(bench.ask({ metrics: ['memory'], stepMs: 60_000 }))).toEqual([[null, 100]]);
  });
});

describe('histograms', () => {
  it('give quantiles, mean and the whole distribution', () => {
    const bench = start(memorySeries());
    for (let n = 1; n <= 100; n += 1) bench.recorder.observe('handshake_latency', n % 2 === 0 ? A : B, n);
    bench.pass(10);
    const [p50, p99, mean, max, count] = valuesOf(
      bench.ask({ metrics: ['handshake_latency'], stats: ['p50', 'p99', 'mean', 'max', 'count'] }),
    ).map((values) => values[0] ?? 0);
    expect(Math.abs((p50 ?? 0) - 50)).toBeLessThan(5);
    expect(Math.abs((p99 ?? 0) - 99)).toBeLessThan(10);
    expect([mean, max, count]).toEqual([50.5, 100, 100]);
    const [whole] = bench.ask({ metrics: ['handshake_latency'], stats: ['distribution'] }).distributions;
    expect(whole?.buckets.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(100);
    expect(bench.ask({ metrics: ['session_length'], stats: ['p50'] }).series[0]?.values).toEqual([null]);
  });
});

describe('a restart', () => {
  it('that is orderly loses nothing, wherever in its slots it comes', () => {
    const store = memorySeries();
    let bench = start(store);
    let added = 0;
    for (const seconds of [3, 4, 50, 61, 7, 3_599, 5, 130]) {
      for (let n = 0; n < seconds; n += 1) {
        bench.recorder.add('connects', A, 1);
        added += 1;
        bench.pass(1);
      }
      bench.recorder.close();
      bench = start(store, bench.now);
    }
    for (const stepMs of [60_000, 3_600_000])
      expect(total(bench.ask({ stats: ['total'], stepMs, to: bench.now + stepMs })), String(stepMs)).toBe(added);
  });

  it('after a kill loses the unfinished ten seconds alone, and says when nothing was recorded', () => {
    const store = memorySeries();
    let bench = start(store);
    for (let n = 0; n < 95; n += 1) {
      bench.recorder.add('connects', A, 1);
      bench.pass(1);
    }
    // Killed: neither the ten seconds under way nor the minute that they belong to were written.
    bench = start(store, bench.now + 120_000);
    bench.pass(60);
    expect(total(bench.ask({ stats: ['total'], stepMs: 10_000 }))).toBe(90);
    expect(total(bench.ask({ stats: ['total'], stepMs: 60_000 }))).toBe(90);
    expect(total(bench.ask({ stats: ['total'], stepMs: 3_600_000, to: bench.now + 3_600_000 }))).toBe(90);
    const { gaps, series } = bench.ask({ stats: ['total'], stepMs: 10_000 });
    expect(gaps).toEqual([
      { from: new Date(START + 90_000).toISOString(), to: new Date(START + 210_000).toISOString() },
    ]);
    expect(series[0]?.values.slice(8, 11)).toEqual([10, null, null]);
  });

  it('and a clock that is set back keep what was there', () => {
    const store = memorySeries();
    const bench = start(store);
    for (let n = 0; n < 120; n += 1) {
      bench.recorder.add('connects', A, 1);
      bench.pass(1);
    }
    bench.now -= 90_000;
    for (let n = 0; n < 120; n += 1) {
      bench.recorder.add('connects', A, 1);
      bench.pass(1);
    }
    bench.recorder.close();
    const after = start(store, bench.now);
    expect(total(after.ask({ stats: ['total'], stepMs: 10_000 }))).toBe(240);
    expect(total(after.ask({ stats: ['total'], stepMs: 60_000 }))).toBe(240);
  });
});

describe('a query that makes no sense', () => {
  const bench = start(memorySeries());
  bench.pass(20);
  it.each([
    ['an unknown metric', { metrics: ['sesions'] }, 'query.metric'],
    ['a label that it has not', { metrics: ['cpu'], by: ['gateway'] as const }, 'query.by'],
    ['a statistic that it has not', { stats: ['p99'] }, 'query.stat'],
    ['an odd step', { stepMs: 7_000 }, 'query.step'],
    ['too many points', { stepMs: 10_000, from: START - 86_400_000 }, 'query.step'],
    [
      'a step that is not kept so long',
      { stepMs: 10_000, from: START - 86_400_000, to: START - 86_000_000 },
      'query.step',
    ],
    ['an end before its beginning', { from: START + 20, to: START }, 'query.from'],
  ])('%s is told with its field', (_, query, path) => {
    let error: unknown;
    try {
      bench.ask(query);
    } catch (thrown) {
      error = thrown;
    }
    expect(isError(error, 'invalid') ? error.issues[0]?.path : error).toBe(path);
  });
});
