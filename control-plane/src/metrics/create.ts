/** All series: fed by events as they happen, and filled with what is known when they are read. */
import type { Labels, MetricName } from '../history/metrics.ts';
import type { Measure } from '../xds/measure.ts';
import { createInstruments, type Reading } from './instruments.ts';
import { createFill, type Present } from './present.ts';
import { createRecorded } from './recorded.ts';

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
  /** What history records, as it happens. */
  record: (metric: MetricName, labels: Labels, value: number) => void;
  /** Gateways that had a stream within the last hour. */
  seenGateways(): string[];
  /** In Prometheus's text format. */
  scrape(present: Present): Promise<string>;
  read(present: Present): Promise<Reading[]>;
}

export interface MetricsOptions {
  /** Counters and gauges of instances are told for each of them. */
  readonly perInstance: boolean;
  readonly now: () => number;
}

/** A gateway that left is missed for so long. */
const MISSED_MS = 3_600_000;

export function createMetrics({ perInstance, now }: MetricsOptions): Metrics {
  const instruments = createInstruments(perInstance);
  const { count, observe, addTo } = instruments;
  const recorded = createRecorded(instruments, perInstance, now);
  const fill = createFill(instruments, perInstance);
  const seen = new Map<string, { variant: string; streams: number; at: number }>();

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
      case 'opened': {
        const streams = seen.get(one.node)?.streams ?? 0;
        addTo('switchboard_xds_streams', { gateway: one.node, variant: one.variant }, 1);
        seen.set(one.node, { variant: one.variant, streams: streams + 1, at: now() });
        return;
      }
      case 'closed': {
        const known = seen.get(one.node);
        if (known !== undefined) {
          addTo('switchboard_xds_streams', { gateway: one.node, variant: known.variant }, -1);
          seen.set(one.node, { ...known, streams: known.streams - 1, at: now() });
        }
        count('switchboard_xds_streams_ended_total', { code: one.code === '' ? 'OK' : one.code });
        observe('switchboard_xds_stream_seconds', {}, one.ms / 1000);
        return;
      }
    }
  }

  function seenGateways(): string[] {
    for (const [node, { variant, streams, at }] of seen) {
      if (streams > 0 || now() - at < MISSED_MS) continue;
      seen.delete(node);
      instruments.drop('switchboard_xds_streams', { gateway: node, variant });
    }
    return [...seen.keys()];
  }

  function settle(present: Present): void {
    recorded.settle({ ...present, services: present.services.map(({ name }) => name) });
    fill(present);
  }

  return {
    contentType: instruments.contentType,
    measure,
    record: recorded.record,
    seenGateways,
    request({ method, route, status, ms }) {
      observe('switchboard_api_request_seconds', { method, route, status: String(status) }, ms / 1000);
    },
    async scrape(present) {
      settle(present);
      return instruments.text();
    },
    async read(present) {
      settle(present);
      return instruments.read();
    },
  };
}
