/** The series as an OTLP export request, in its JSON form. Pure. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
import type { Reading } from './instruments.ts';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}
interface Point {
  readonly attributes: readonly Attribute[];
  /** 64-bit numbers are texts. */
  readonly startTimeUnixNano?: string;
  readonly timeUnixNano: string;
}
type NumberPoint = Point & { readonly asDouble: number };
type HistogramPoint = Point & {
  readonly count: string;
  readonly sum: number;
  readonly bucketCounts: readonly string[];
  readonly explicitBounds: readonly number[];
};
interface OtlpMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly gauge?: { readonly dataPoints: readonly NumberPoint[] };
  readonly sum?: { aggregationTemporality: number; isMonotonic: boolean; dataPoints: readonly NumberPoint[] };
  readonly histogram?: { aggregationTemporality: number; dataPoints: readonly HistogramPoint[] };
}
export interface OtlpRequest {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeMetrics: readonly {
      readonly scope: { readonly name: string; readonly version: string };
      readonly metrics: readonly OtlpMetric[];
    }[];
  }[];
}

export interface OtlpSource {
  readonly version: string;
  /** Of this control plane: tells it from others at the same collector. */
  readonly instance: string;
  readonly startedAt: number;
  readonly now: number;
}

/** AGGREGATION_TEMPORALITY_CUMULATIVE: since the start of the process. */
const CUMULATIVE = 2;

const nanos = (ms: number): string => `${Math.round(ms)}000000`;
const attributesOf = (labels: Readonly<Record<string, unknown>>): Attribute[] =>
  Object.entries(labels).map(([key, value]) => ({ key, value: { stringValue: String(value) } }));

/** UCUM, from the name. */
function unitOf(name: string): string {
  const bare = name.replace(/_total$/, '');
  if (bare.endsWith('_seconds')) return 's';
  return bare.endsWith('_bytes') ? 'By' : '1';
}

function histogramPoints({ name, values }: Reading, base: Omit<Point, 'attributes'>): HistogramPoint[] {
  const sets = new Map<string, { labels: Record<string, unknown>; bounds: number[]; upTo: number[]; sum: number }>();
  for (const { labels: all, value, metricName } of values) {
    const { le, ...labels } = all;
    const key = JSON.stringify(labels);
    let set = sets.get(key);
    if (set === undefined) sets.set(key, (set = { labels, bounds: [], upTo: [], sum: 0 }));
    if (metricName === `${name}_sum`) set.sum = value;
    if (metricName !== `${name}_bucket`) continue;
    if (le !== '+Inf') set.bounds.push(Number(le));
    set.upTo.push(value);
  }
  return [...sets.values()].map(({ labels, bounds, upTo, sum }) => ({
    ...base,
    attributes: attributesOf(labels),
    count: String(upTo.at(-1) ?? 0),
    sum,
    // Prometheus counts all up to a bound, OTLP those between two.
    bucketCounts: upTo.map((count, index) => String(count - (upTo[index - 1] ?? 0))),
    explicitBounds: bounds,
  }));
}

function metricOf(reading: Reading, source: OtlpSource): OtlpMetric {
  const { name, help } = reading;
  const [startTimeUnixNano, timeUnixNano] = [nanos(source.startedAt), nanos(source.now)];
  const about = { name, description: help, unit: unitOf(name) };
  // prom-client's types say a number; it is the word.
  const kind = String(reading.type);
  if (kind === 'histogram') {
    const dataPoints = histogramPoints(reading, { startTimeUnixNano, timeUnixNano });
    return { ...about, histogram: { aggregationTemporality: CUMULATIVE, dataPoints } };
  }
  const start = kind === 'counter' ? { startTimeUnixNano } : {};
  const dataPoints = reading.values
    // JSON has no number for what is none.
    .filter(({ value }) => Number.isFinite(value))
    .map(({ labels, value }) => ({ attributes: attributesOf(labels), ...start, timeUnixNano, asDouble: value }));
  return kind === 'counter'
    ? { ...about, sum: { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints } }
    : { ...about, gauge: { dataPoints } };
}

export function otlpRequest(readings: readonly Reading[], source: OtlpSource): OtlpRequest {
  const attributes = attributesOf({
    'service.name': 'switchboard',
    'service.version': source.version,
    'service.instance.id': source.instance,
  });
  const metrics = readings.filter(({ values }) => values.length > 0).map((reading) => metricOf(reading, source));
  const scope = { name: 'switchboard', version: source.version };
  return { resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ scope, metrics }] }] };
}
