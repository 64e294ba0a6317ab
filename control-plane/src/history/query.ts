/** From the rings to points over time: which series, which statistic. Pure but for reading the rings. */
import type { Distribution, HistoryAnswer, HistoryQuery, Points } from './answer.ts';
import { quantile, upperBound } from './buckets.ts';
import { groupsOf, type Cell, type Group } from './groups.ts';
import { COVERAGE, LABELS, metricOf, type Metric } from './metrics.ts';
import { invalid, planOf } from './plan.ts';
import type { Rings } from './rings.ts';
import { addTo, emptySummary } from './summary.ts';

export const STATS: Readonly<Record<Metric['kind'], readonly string[]>> = {
  counter: ['rate', 'total'],
  gauge: ['avg', 'max'],
  histogram: ['p50', 'p90', 'p95', 'p99', 'mean', 'max', 'count', 'distribution'],
};
const DEFAULT_STATS: Readonly<Record<Metric['kind'], readonly string[]>> = {
  counter: ['rate'],
  gauge: ['avg'],
  histogram: ['p50', 'p99'],
};
function statsOf(metric: Metric, asked: readonly string[] | undefined): readonly string[] {
  const known = STATS[metric.kind];
  const wanted = asked ?? DEFAULT_STATS[metric.kind];
  const unknown = wanted.find((one) => !known.includes(one));
  if (unknown !== undefined)
    throw invalid('query.stat', `${metric.name} is a ${metric.kind}: use ${known.join(', ')}, not ${unknown}`);
  return wanted;
}

interface Covered {
  ms: number;
  looks: number;
}

const rounded = (value: number): number => Number(value.toPrecision(6));

function valueOf(cell: Cell | undefined, covered: Covered, stat: string, metric: Metric): number | null {
  if (covered.ms === 0 || (metric.kind === 'gauge' && covered.looks === 0)) return null;
  const { n, sum, max, buckets } = cell?.whole ?? emptySummary(metric.kind);
  const scaled = (value: number): number => rounded(value / metric.scale);
  switch (stat) {
    case 'rate':
      return scaled((sum * 1000) / covered.ms);
    case 'total':
      return scaled(sum);
    case 'avg':
      if (metric.absent === 'zero') return scaled(sum / covered.looks);
      return cell === undefined
        ? null
        : scaled([...cell.parts.values()].reduce((all, part) => all + part.sum / part.n, 0));
    case 'max':
      if (cell === undefined) return metric.absent === 'zero' ? 0 : null;
      return scaled(metric.kind === 'gauge' ? Math.max(...cell.peaks.values()) : max);
    case 'count':
      return n;
    case 'mean':
      return n === 0 ? null : scaled(sum / n);
    default: {
      const found = quantile(buckets ?? new Map(), Number(stat.slice(1)) / 100);
      return found === undefined ? null : scaled(Math.min(found, max));
    }
  }
}

function distributionOf(metric: Metric, { labels, cells }: Group): Distribution {
  const whole = emptySummary(metric.kind);
  for (const cell of cells) if (cell !== undefined) addTo(whole, cell.whole);
  const buckets = [...(whole.buckets ?? [])]
    .sort(([a], [b]) => a - b)
    .map(([bucket, count]) => ({ le: rounded(upperBound(bucket) / metric.scale), count }));
  return { metric: metric.name, unit: metric.unit, labels, count: whole.n, buckets };
}

/** `until`: when the newest finished ten seconds ended; nothing is told of what comes after. */
export function queryHistory(rings: Rings, query: HistoryQuery, now: number, until: number): HistoryAnswer {
  const { stepMs, level } = planOf(query, now);
  const first = Math.floor(query.from / stepMs) * stepMs;
  const count = Math.ceil((Math.min(query.to, until) - first) / stepMs);
  const end = first + Math.max(0, count) * stepMs;
  const steps = Array.from({ length: Math.max(0, count) }, (): Covered => ({ ms: 0, looks: 0 }));
  const stepOf = (at: number): number => Math.floor((at - first) / stepMs);
  for (const { at, slot } of rings.read(level, COVERAGE, first, end)) {
    const covered = steps[stepOf(at)];
    for (const { sum, n } of slot.values()) {
      if (covered === undefined) continue;
      covered.ms += sum;
      covered.looks += n;
    }
  }
  const series: Points[] = [];
  const distributions: Distribution[] = [];
  let truncated = 0;
  for (const name of query.metrics) {
    const metric = metricOf(name);
    if (metric === undefined)
      throw invalid('query.metric', `there is no metric ${name}: GET /v1/timeseries/metrics lists them`);
    const foreign = [...query.by, ...LABELS.filter((one) => query.where[one] !== undefined)].find(
      (one) => !metric.labels.includes(one),
    );
    if (foreign !== undefined)
      throw invalid('query.by', `${name} has no label ${foreign}: it has ${metric.labels.join(', ')}`);
    const stats = statsOf(metric, query.stats);
    const groups = groupsOf(rings, metric, query, {
      level,
      from: first,
      to: end,
      stepOf,
      steps: steps.length,
    });
    truncated += Math.max(0, groups.length - query.limit);
    for (const group of groups.slice(0, query.limit)) {
      for (const stat of stats) {
        if (stat === 'distribution') distributions.push(distributionOf(metric, group));
        else
          series.push({
            metric: name,
            unit: stat === 'rate' ? `${metric.unit}/second` : stat === 'count' ? 'events' : metric.unit,
            stat,
            labels: group.labels,
            values: steps.map((covered, index) => valueOf(group.cells[index], covered, stat, metric)),
          });
      }
    }
  }
  return {
    from: new Date(first).toISOString(),
    to: new Date(end).toISOString(),
    stepSeconds: stepMs / 1000,
    series,
    distributions,
    gaps: gapsOf(steps, first, stepMs),
    truncated,
  };
}

function gapsOf(steps: readonly Covered[], first: number, stepMs: number): { from: string; to: string }[] {
  const gaps: { from: number; to: number }[] = [];
  for (const [index, { ms }] of steps.entries()) {
    if (ms > 0) continue;
    const from = first + index * stepMs;
    const last = gaps.at(-1);
    if (last?.to === from) last.to = from + stepMs;
    else gaps.push({ from, to: from + stepMs });
  }
  return gaps.map(({ from, to }) => ({ from: new Date(from).toISOString(), to: new Date(to).toISOString() }));
}
