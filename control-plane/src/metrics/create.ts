/** The registry of all series: fed by events as they happen, and filled with what is known at each scrape. The only importer of prom-client. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Measure } from '../xds/measure.ts';
import { SERIES, type Series, type SeriesName } from './series.ts';

/** What is as it is at a scrape. */
export interface Present {
  readonly version: string;
  readonly startedAt: number;
  readonly revision: number;
  readonly gateways: readonly {
    readonly node: string;
    readonly ackedRevision: number;
    readonly types: Readonly<Record<string, { readonly state: string }>>;
    readonly refusals: readonly { readonly type: string }[];
    readonly drift: { readonly drift: readonly unknown[] } | null;
  }[];
  readonly services: readonly string[];
  readonly instances: readonly { readonly service: string; readonly state: string; readonly sessions: number }[];
  readonly certificates: readonly { readonly name: string; readonly notAfter: string }[];
  /** By reason, since the start. */
  readonly refusedCalls: ReadonlyMap<string, number>;
}

export interface ApiRequest {
  readonly method: string;
  /** The path's template, which is one of the API's. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
}

export interface Metrics {
  readonly contentType: string;
  measure: (measure: Measure) => void;
  request: (request: ApiRequest) => void;
  /** In Prometheus's text format. */
  scrape(present: Present): Promise<string>;
}

type Labels = Record<string, string>;

const STATES = ['SYNCED', 'STALE', 'NOT_SENT', 'ERROR'];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  for (const [name, { kind, help, labels, buckets }] of Object.entries<Series>(SERIES)) {
    const options = { name, help, labelNames: [...labels], registers: [registry] };
    if (kind === 'counter') counters.set(name, new Counter(options));
    else if (kind === 'gauge') gauges.set(name, new Gauge(options));
    else histograms.set(name, new Histogram({ ...options, buckets: [...(buckets ?? [])] }));
  }
  const count = (name: SeriesName, labels: Labels, by = 1): void => counters.get(name)?.inc(labels, by);
  const set = (name: SeriesName, labels: Labels, value: number): void => gauges.get(name)?.set(labels, value);
  const observe = (name: SeriesName, labels: Labels, value: number): void =>
    histograms.get(name)?.observe(labels, value);
  /** For counters that others keep. */
  function countTo(name: SeriesName, labels: Labels, total: number): void {
    const counter = counters.get(name);
    counter?.remove(labels);
    counter?.inc(labels, total);
  }
  let busy = performance.eventLoopUtilization();

  function measure(one: Measure): void {
    switch (one.kind) {
      case 'push':
        observe('switchboard_xds_push_seconds', { cause: one.cause }, one.ms / 1000);
        observe('switchboard_xds_debounce_seconds', { cause: one.cause }, one.waitedMs / 1000);
        return;
      case 'response':
        count('switchboard_xds_responses_total', { type: one.type, variant: one.variant });
        count('switchboard_xds_resources_sent_total', { type: one.type }, one.resources);
        observe('switchboard_xds_response_bytes', { type: one.type }, one.bytes);
        observe('switchboard_xds_queue_seconds', { type: one.type }, one.queuedMs / 1000);
        return;
      case 'ack':
        count('switchboard_xds_acks_total', { type: one.type });
        observe('switchboard_xds_answer_seconds', { type: one.type }, one.ms / 1000);
        observe('switchboard_xds_convergence_seconds', { type: one.type }, one.convergenceMs / 1000);
        return;
      case 'nack':
        count('switchboard_xds_nacks_total', { type: one.type });
        observe('switchboard_xds_answer_seconds', { type: one.type }, one.ms / 1000);
        return;
      case 'stale':
        count('switchboard_xds_stale_nonces_total', { type: one.type });
        return;
      case 'late':
        count('switchboard_xds_late_total', { type: one.type });
        return;
      case 'opened':
        gauges.get('switchboard_xds_streams')?.inc({ gateway: one.node, variant: one.variant });
        variants.set(one.node, one.variant);
        return;
      case 'closed': {
        const variant = variants.get(one.node);
        if (variant !== undefined) gauges.get('switchboard_xds_streams')?.dec({ gateway: one.node, variant });
        count('switchboard_xds_streams_ended_total', { code: one.code === '' ? 'OK' : one.code });
        observe('switchboard_xds_stream_seconds', {}, one.ms / 1000);
        return;
      }
    }
  }
  const variants = new Map<string, string>();

  function fill(present: Present): void {
    // What is no longer there is no longer told.
    for (const name of PRESENT) gauges.get(name)?.reset();
    set('switchboard_build_info', { version: present.version, node: process.version }, 1);
    set('switchboard_revision', {}, present.revision);
    for (const { node, ackedRevision, types, refusals, drift } of present.gateways) {
      set('switchboard_gateway_acked_revision', { gateway: node }, ackedRevision);
      set('switchboard_gateway_drift', { gateway: node }, drift?.drift.length ?? 0);
      for (const [type, { state }] of Object.entries(types)) {
        for (const one of STATES)
          set('switchboard_gateway_sync', { gateway: node, type, state: one }, one === state ? 1 : 0);
        const refused = refusals.filter((one) => one.type === type).length;
        set('switchboard_gateway_refused_resources', { gateway: node, type }, refused);
      }
    }
    for (const service of present.services) set('switchboard_sessions', { service }, 0);
    for (const { service, state, sessions } of present.instances) {
      gauges.get('switchboard_instances')?.inc({ service, state });
      gauges.get('switchboard_sessions')?.inc({ service }, sessions);
    }
    for (const { name, notAfter } of present.certificates)
      set('switchboard_certificate_expiry_timestamp_seconds', { name }, Date.parse(notAfter) / 1000);
    for (const [reason, total] of present.refusedCalls)
      countTo('switchboard_wire_refused_calls_total', { reason }, total);
    const { user, system } = process.cpuUsage();
    countTo('process_cpu_seconds_total', {}, (user + system) / 1e6);
    const { rss, heapUsed } = process.memoryUsage();
    set('process_resident_memory_bytes', {}, rss);
    set('nodejs_heap_size_used_bytes', {}, heapUsed);
    set('process_start_time_seconds', {}, present.startedAt / 1000);
    const now = performance.eventLoopUtilization();
    set('nodejs_eventloop_utilization', {}, performance.eventLoopUtilization(now, busy).utilization);
    busy = now;
  }

  return {
    contentType: registry.contentType,
    measure,
    request({ method, route, status, ms }) {
      observe('switchboard_api_request_seconds', { method, route, status: String(status) }, ms / 1000);
    },
    async scrape(present) {
      fill(present);
      return registry.metrics();
    },
  };
}

/** Gauges that are filled anew at each scrape. */
const PRESENT: readonly SeriesName[] = [
  'switchboard_gateway_sync',
  'switchboard_gateway_acked_revision',
  'switchboard_gateway_refused_resources',
  'switchboard_gateway_drift',
  'switchboard_certificate_expiry_timestamp_seconds',
  'switchboard_sessions',
  'switchboard_instances',
];
