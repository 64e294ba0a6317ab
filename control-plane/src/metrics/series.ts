/**
 * Every series that /metrics tells, and the only place where one is added. Labels are bounded: types, gateways, services, states, routes of the API;
 * never a session, a client or a text from outside. The table in README.md is made of this (`npx vitest` in this folder says when it is not).
 */
export interface Series {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, in the series' unit. */
  readonly buckets?: readonly number[];
}

const QUICK = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
/** From a push on loopback to an Envoy that stays behind. */
const CONVERGENCE = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 5, 10, 20, 30];
const BYTES = [1e3, 1e4, 1e5, 1e6, 4e6, 1e7, 4e7];
const LIFE = [1, 10, 60, 600, 1800, 3600, 7200];

export const SERIES = {
  switchboard_xds_push_seconds: {
    kind: 'histogram',
    help: 'Time to hand a change to all streams of a group.',
    labels: ['cause'],
    buckets: QUICK,
  },
  switchboard_xds_debounce_seconds: {
    kind: 'histogram',
    help: 'How long the oldest change of a push was gathered.',
    labels: ['cause'],
    buckets: QUICK,
  },
  switchboard_xds_queue_seconds: {
    kind: 'histogram',
    help: 'From a change reaching a stream to the response that carries it.',
    labels: ['type'],
    buckets: CONVERGENCE,
  },
  switchboard_xds_answer_seconds: {
    kind: 'histogram',
    help: 'From a response to its ACK or NACK.',
    labels: ['type'],
    buckets: CONVERGENCE,
  },
  switchboard_xds_convergence_seconds: {
    kind: 'histogram',
    help: 'From a change reaching a stream to its ACK.',
    labels: ['type'],
    buckets: CONVERGENCE,
  },
  switchboard_xds_response_bytes: {
    kind: 'histogram',
    help: 'Size of the resources of a response.',
    labels: ['type'],
    buckets: BYTES,
  },
  switchboard_xds_responses_total: { kind: 'counter', help: 'Responses sent.', labels: ['type', 'variant'] },
  switchboard_xds_resources_sent_total: { kind: 'counter', help: 'Resources sent.', labels: ['type'] },
  switchboard_xds_acks_total: { kind: 'counter', help: 'Responses acknowledged.', labels: ['type'] },
  switchboard_xds_nacks_total: { kind: 'counter', help: 'Responses refused by an Envoy.', labels: ['type'] },
  switchboard_xds_stale_nonces_total: {
    kind: 'counter',
    help: 'Requests that answer an older response.',
    labels: ['type'],
  },
  switchboard_xds_late_total: {
    kind: 'counter',
    help: 'Waits between types that reached their limit.',
    labels: ['type'],
  },
  switchboard_xds_streams: { kind: 'gauge', help: 'Open streams.', labels: ['gateway', 'variant'] },
  switchboard_xds_stream_seconds: {
    kind: 'histogram',
    help: 'Life of streams that have ended.',
    labels: [],
    buckets: LIFE,
  },
  switchboard_xds_streams_ended_total: {
    kind: 'counter',
    help: 'Streams that have ended, by the status that the server gave.',
    labels: ['code'],
  },
  switchboard_gateway_sync: {
    kind: 'gauge',
    help: '1 for the state that a type of a gateway is in: SYNCED, STALE, NOT_SENT or ERROR.',
    labels: ['gateway', 'type', 'state'],
  },
  switchboard_gateway_acked_revision: {
    kind: 'gauge',
    help: 'The greatest revision that a gateway runs in full.',
    labels: ['gateway'],
  },
  switchboard_gateway_refused_resources: {
    kind: 'gauge',
    help: 'Resources that a gateway refuses now.',
    labels: ['gateway', 'type'],
  },
  switchboard_gateway_drift: {
    kind: 'gauge',
    help: "Differences between a gateway's own view and the registry, at the last look.",
    labels: ['gateway'],
  },
  switchboard_wire_refused_calls_total: {
    kind: 'counter',
    help: 'Calls on the port for Envoy by peers without the right certificate.',
    labels: ['reason'],
  },
  switchboard_certificate_expiry_timestamp_seconds: {
    kind: 'gauge',
    help: 'When a certificate between Envoy and the control plane ends.',
    labels: ['name'],
  },
  switchboard_revision: { kind: 'gauge', help: "The registry's revision.", labels: [] },
  switchboard_sessions: { kind: 'gauge', help: 'Open sessions.', labels: ['service'] },
  switchboard_instances: { kind: 'gauge', help: 'Instances.', labels: ['service', 'state'] },
  switchboard_api_request_seconds: {
    kind: 'histogram',
    help: 'Time to the answer of an API request; of event streams to their start.',
    labels: ['method', 'route', 'status'],
    buckets: QUICK,
  },
  switchboard_build_info: { kind: 'gauge', help: '1.', labels: ['version', 'node'] },
  process_cpu_seconds_total: { kind: 'counter', help: 'Processor time of the control plane.', labels: [] },
  process_resident_memory_bytes: { kind: 'gauge', help: 'Its resident memory.', labels: [] },
  process_start_time_seconds: { kind: 'gauge', help: 'When it started.', labels: [] },
  nodejs_heap_size_used_bytes: { kind: 'gauge', help: 'Its JavaScript heap in use.', labels: [] },
  nodejs_eventloop_utilization: {
    kind: 'gauge',
    help: 'Share of the time since the last scrape in which its event loop was busy.',
    labels: [],
  },
} as const satisfies Record<string, Series>;

export type SeriesName = keyof typeof SERIES;

/** Rows of the README's table. */
export function seriesTable(): string {
  const rows = Object.entries(SERIES).map(([name, { kind, labels, help }]) => {
    const shown = labels.length === 0 ? '' : labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${kind} | ${shown} | ${help} |`;
  });
  return ['| series | kind | labels | what |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
