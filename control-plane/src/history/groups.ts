/** From the series of a metric to what the query tells apart: for each group, what it has in each step. */
import type { HistoryQuery } from './answer.ts';
import { LABELS, type LabelName, type Labels, type Metric } from './metrics.ts';
import type { Rings } from './rings.ts';
import { addTo, emptySummary, type Summary } from './summary.ts';

export interface Cell {
  readonly whole: Summary;
  /** Gauges only: by series id, to make averages of. */
  readonly parts: Map<number, { n: number; sum: number }>;
  /** Gauges only: by slot, the sum of the largest values. An upper bound, since series need not have had them at the same moment. */
  readonly peaks: Map<number, number>;
}
export interface Group {
  readonly labels: Labels;
  readonly cells: (Cell | undefined)[];
  weight: number;
}
export interface Range {
  readonly level: number;
  readonly from: number;
  readonly to: number;
  readonly steps: number;
  /** Index of the step that a time lies in. */
  readonly stepOf: (at: number) => number;
}

/** Which series a value belongs to; undefined: it is not asked for. */
function groupOf(labels: Labels, { by, where }: HistoryQuery): Labels | undefined {
  for (const name of LABELS) {
    const wanted = where[name];
    if (wanted !== undefined && !wanted.includes(labels[name] ?? '')) return undefined;
  }
  // A version's number says nothing without its service.
  const names =
    by.includes('version') || by.includes('instance') ? new Set<LabelName>(['service', ...by]) : new Set(by);
  return Object.fromEntries(
    LABELS.filter((name) => names.has(name) && labels[name] !== undefined).map((name) => [name, labels[name]]),
  );
}

const emptyCell = (metric: Metric): Cell => ({ whole: emptySummary(metric.kind), parts: new Map(), peaks: new Map() });

function addGauge(cell: Cell, id: number, at: number, { n, sum, max }: Summary): void {
  cell.whole.n += n;
  cell.whole.sum += sum;
  const part = cell.parts.get(id);
  if (part === undefined) cell.parts.set(id, { n, sum });
  else {
    part.n += n;
    part.sum += sum;
  }
  cell.peaks.set(at, (cell.peaks.get(at) ?? 0) + max);
}

/** Those with the largest values first. */
export function groupsOf(rings: Rings, metric: Metric, query: HistoryQuery, range: Range): Group[] {
  const groups = new Map<string, Group>();
  const byId = new Map<number, Group | undefined>();

  function groupFor(id: number): Group | undefined {
    if (byId.has(id)) return byId.get(id);
    const labels = groupOf(rings.names.labelsOf(id) ?? {}, query);
    let group: Group | undefined;
    if (labels !== undefined) {
      const key = JSON.stringify(labels);
      group = groups.get(key);
      if (group === undefined)
        groups.set(key, (group = { labels, cells: new Array<undefined>(range.steps).fill(undefined), weight: 0 }));
    }
    byId.set(id, group);
    return group;
  }

  for (const { at, slot } of rings.read(range.level, metric.name, range.from, range.to)) {
    const index = range.stepOf(at);
    for (const [id, summary] of slot) {
      const group = groupFor(id);
      if (group === undefined) continue;
      const cell = (group.cells[index] ??= emptyCell(metric));
      group.weight += summary.sum;
      if (metric.kind === 'gauge') addGauge(cell, id, at, summary);
      else addTo(cell.whole, summary);
    }
  }
  // All as one is an answer too where there was nothing.
  if (query.by.length === 0 && groups.size === 0)
    groups.set('', { labels: {}, cells: new Array<undefined>(range.steps).fill(undefined), weight: 0 });
  return [...groups.values()].sort((a, b) => b.weight - a.weight);
}
