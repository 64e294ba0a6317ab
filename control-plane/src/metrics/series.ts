/**
 * Every series that /metrics tells, and the only place where one is added. Labels are bounded: types, gateways, services, states, routes of the API;
 * never a session, a client or a text from outside. The table in README.md is made of this (`npx vitest` in this folder says when it is not).
 */
import type { MetricName } from '../history/metrics.ts';

export interface Series {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, in the series' unit. */
  readonly buckets?: readonly number[];
  /** It is counted by what history records under this name. */
  readonly recorded?: MetricName;
  /** With `metrics.perInstance` it has the label `agent` too. */
  readonly perInstance?: true;
}

/** Of an instance's id. `instance` itself is Prometheus's own: the address that it scrapes. */
export const INSTANCE_LABEL = 'agent';

const QUICK = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];
/** From a push on loopback to an Envoy that stays behind. */
const CONVERGENCE = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 5, 10, 20, 30];
const BYTES = [1e3, 1e4, 1e5, 1e6, 4e6, 1e7, 4e7];
const LIFE = [1, 10, 60, 600, 1800, 3600, 7200];
const HANDSHAKE = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SESSION = [1, 5, 30, 60, 300, 900, 1800, 3600, 14_400, 43_200, 86_400];
const PROBE = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const PLACE = ['service', 'gateway'];

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
  switchboard_gateway_connected: {
    kind: 'gauge',
    help: '1 while a gateway has a stream; 0 for an hour after it left, and always for the one that Switchboard runs.',
    labels: ['gateway'],
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
  switchboard_sessions: { kind: 'gauge', help: 'Open sessions.', labels: ['service'], perInstance: true },
  switchboard_connects_total: {
    kind: 'counter',
    help: 'Sessions that were opened.',
    labels: PLACE,
    recorded: 'connects',
    perInstance: true,
  },
  switchboard_connect_failures_total: {
    kind: 'counter',
    help: 'Upgrade requests that did not become a session, by cause.',
    labels: [...PLACE, 'cause'],
    recorded: 'connect_failures',
    perInstance: true,
  },
  switchboard_session_ends_total: {
    kind: 'counter',
    help: 'Sessions that ended, by cause. instance_lost and reset are abnormal.',
    labels: [...PLACE, 'cause'],
    recorded: 'session_ends',
    perInstance: true,
  },
  switchboard_early_ends_total: {
    kind: 'counter',
    help: 'Sessions that ended within 30 s on the side of their agent. It does so too when a client says goodbye.',
    labels: PLACE,
    recorded: 'early_ends',
    perInstance: true,
  },
  switchboard_handshake_seconds: {
    kind: 'histogram',
    help: "From the upgrade request's arrival at the gateway to the agent's 101.",
    labels: PLACE,
    buckets: HANDSHAKE,
    recorded: 'handshake_latency',
  },
  switchboard_session_length_seconds: {
    kind: 'histogram',
    help: 'How long sessions lasted, noted when they end.',
    labels: ['service'],
    buckets: SESSION,
    recorded: 'session_length',
  },
  switchboard_received_bytes_total: {
    kind: 'counter',
    help: 'Bytes from clients in sessions.',
    labels: PLACE,
    recorded: 'bytes_received',
    perInstance: true,
  },
  switchboard_sent_bytes_total: {
    kind: 'counter',
    help: 'Bytes to clients in sessions.',
    labels: PLACE,
    recorded: 'bytes_sent',
    perInstance: true,
  },
  switchboard_session_capacity: {
    kind: 'gauge',
    help: 'Sessions that the ready instances may hold, where sessionsPerInstance is set.',
    labels: ['service'],
  },
  switchboard_clients_waiting: {
    kind: 'gauge',
    help: 'Clients that are held until an instance has a place for them.',
    labels: ['service'],
  },
  switchboard_instances: { kind: 'gauge', help: 'Instances.', labels: ['service', 'state'] },
  switchboard_instances_ready: {
    kind: 'gauge',
    help: 'Instances that take new sessions: ready, not draining, not unhealthy.',
    labels: ['service'],
    perInstance: true,
  },
  switchboard_instances_unhealthy: {
    kind: 'gauge',
    help: 'Instances that were ready and fail their health checks.',
    labels: ['service'],
    perInstance: true,
  },
  switchboard_instances_wanted: {
    kind: 'gauge',
    help: 'Instances that are to be: as configured, or as the autoscaler wants.',
    labels: ['service'],
  },
  switchboard_autoscale_limit: {
    kind: 'gauge',
    help: "The autoscaler's bounds: min and max.",
    labels: ['service', 'bound'],
  },
  switchboard_rollout_phase: {
    kind: 'gauge',
    help: '1 for the phase of the newest rollout: progressing, paused, completed or aborted.',
    labels: ['service', 'phase'],
  },
  switchboard_rollout_weight: {
    kind: 'gauge',
    help: 'Share of new sessions, 0 to 1, that a rollout under way gives to its new version.',
    labels: ['service'],
  },
  switchboard_probe_seconds: {
    kind: 'histogram',
    help: 'How long passed health checks took.',
    labels: ['service'],
    buckets: PROBE,
    recorded: 'probe_latency',
  },
  switchboard_probe_failures_total: {
    kind: 'counter',
    help: 'Health checks of ready instances that failed.',
    labels: ['service'],
    recorded: 'probe_failures',
    perInstance: true,
  },
  switchboard_cpu_cores: {
    kind: 'gauge',
    help: 'Processor that instances use, of those that Switchboard runs.',
    labels: ['service'],
    perInstance: true,
  },
  switchboard_memory_bytes: {
    kind: 'gauge',
    help: 'Memory that instances hold, of those that Switchboard runs.',
    labels: ['service'],
    perInstance: true,
  },
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
  const rows = Object.entries<Series>(SERIES).map(([name, { kind, labels, help, perInstance }]) => {
    const shown = [...labels.map((label) => `\`${label}\``), ...(perInstance ? [`(\`${INSTANCE_LABEL}\`)`] : [])].join(
      ', ',
    );
    return `| \`${name}\` | ${kind} | ${shown} | ${help} |`;
  });
  return ['| series | kind | labels | what |', '| --- | --- | --- | --- |', ...rows].join('\n');
}
