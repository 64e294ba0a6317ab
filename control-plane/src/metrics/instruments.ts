/** The series as instruments. The only importer of prom-client. */
import { Counter, Gauge, Histogram, Registry, type MetricObjectWithValues, type MetricValue } from 'prom-client';
import { INSTANCE_LABEL, SERIES, type Series, type SeriesName } from './series.ts';

export type SeriesLabels = Record<string, string>;
/** One series with all its label sets, as prom-client gives it. */
export type Reading = MetricObjectWithValues<MetricValue<string> & { metricName?: string }>;

export interface Instruments {
  readonly contentType: string;
  count: (name: SeriesName, labels: SeriesLabels, by?: number) => void;
  /** For counters that others keep. */
  countTo: (name: SeriesName, labels: SeriesLabels, total: number) => void;
  set: (name: SeriesName, labels: SeriesLabels, value: number) => void;
  addTo: (name: SeriesName, labels: SeriesLabels, by: number) => void;
  observe: (name: SeriesName, labels: SeriesLabels, value: number) => void;
  /** A gauge's label sets are all dropped. */
  empty: (name: SeriesName) => void;
  /** One label set is dropped. */
  drop: (name: SeriesName, labels: SeriesLabels) => void;
  /** In Prometheus's text format. */
  text(): Promise<string>;
  read(): Promise<Reading[]>;
}

export function createInstruments(perInstance: boolean): Instruments {
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  for (const [name, series] of Object.entries<Series>(SERIES)) {
    const { kind, help, labels, buckets } = series;
    const own = perInstance && series.perInstance ? [INSTANCE_LABEL] : [];
    const options = { name, help, labelNames: [...labels, ...own], registers: [registry] };
    if (kind === 'counter') counters.set(name, new Counter(options));
    else if (kind === 'gauge') gauges.set(name, new Gauge(options));
    else histograms.set(name, new Histogram({ ...options, buckets: [...(buckets ?? [])] }));
  }
  return {
    contentType: registry.contentType,
    count: (name, labels, by = 1) => counters.get(name)?.inc(labels, by),
    countTo(name, labels, total) {
      const counter = counters.get(name);
      counter?.remove(labels);
      counter?.inc(labels, total);
    },
    set: (name, labels, value) => gauges.get(name)?.set(labels, value),
    addTo: (name, labels, by) => gauges.get(name)?.inc(labels, by),
    observe: (name, labels, value) => histograms.get(name)?.observe(labels, value),
    empty: (name) => gauges.get(name)?.reset(),
    drop(name, labels) {
      for (const held of [counters, gauges, histograms]) held.get(name)?.remove(labels);
    },
    text: async () => registry.metrics(),
    read: async () => registry.getMetricsAsJSON(),
  };
}
