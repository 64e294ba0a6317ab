/** What is kept over time: the one list of metrics, with unit and help. API, documentation and checks are made from it. */

export const LABELS = ['service', 'version', 'instance', 'gateway', 'cause'] as const;
export type LabelName = (typeof LABELS)[number];
/** Only what is known: a refused connect has no instance, a probe no gateway. */
export type Labels = Readonly<Partial<Record<LabelName, string>>>;

export interface Metric {
  readonly name: string;
  /** A counter adds up, a gauge is looked at once a slot, a histogram keeps the distribution of what was measured. */
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly unit: 'sessions' | 'instances' | 'events' | 'bytes' | 'cores' | 'milliseconds' | 'seconds';
  readonly help: string;
  readonly labels: readonly LabelName[];
  /** Values are kept as whole numbers of 1/scale. */
  readonly scale: number;
  /** A gauge only: what it means that a slot has no value. */
  readonly absent?: 'zero' | 'unknown';
}

const PLACE: readonly LabelName[] = ['service', 'version', 'instance', 'gateway'];
const INSTANCE: readonly LabelName[] = ['service', 'version', 'instance'];

export const METRICS = [
  {
    name: 'sessions_open',
    kind: 'gauge',
    unit: 'sessions',
    help: 'Open sessions, looked at every 10 s.',
    labels: PLACE,
    scale: 1,
    absent: 'zero',
  },
  {
    name: 'connects',
    kind: 'counter',
    unit: 'sessions',
    help: 'Sessions that were opened.',
    labels: PLACE,
    scale: 1,
  },
  {
    name: 'connect_failures',
    kind: 'counter',
    unit: 'events',
    help: 'Upgrade requests that did not become a session, by cause.',
    labels: [...PLACE, 'cause'],
    scale: 1,
  },
  {
    name: 'session_ends',
    kind: 'counter',
    unit: 'sessions',
    help: 'Sessions that ended, by cause. instance_lost and reset are abnormal.',
    labels: [...PLACE, 'cause'],
    scale: 1,
  },
  {
    name: 'early_ends',
    kind: 'counter',
    unit: 'sessions',
    help: 'Sessions that ended within 30 s on the side of their agent, which closes too when a client says goodbye.',
    labels: PLACE,
    scale: 1,
  },
  {
    name: 'handshake_latency',
    kind: 'histogram',
    unit: 'milliseconds',
    help: "From the upgrade request's arrival at the gateway to the agent's 101.",
    labels: PLACE,
    scale: 1000,
  },
  {
    name: 'session_length',
    kind: 'histogram',
    unit: 'seconds',
    help: 'How long sessions lasted, noted when they end.',
    labels: PLACE,
    scale: 1000,
  },
  {
    name: 'bytes_received',
    kind: 'counter',
    unit: 'bytes',
    help: 'Bytes from clients in sessions, as of the gateway’s last report of each session.',
    labels: PLACE,
    scale: 1,
  },
  {
    name: 'bytes_sent',
    kind: 'counter',
    unit: 'bytes',
    help: 'Bytes to clients in sessions, as of the gateway’s last report of each session.',
    labels: PLACE,
    scale: 1,
  },
  {
    name: 'probe_latency',
    kind: 'histogram',
    unit: 'milliseconds',
    help: 'How long passed health checks took.',
    labels: INSTANCE,
    scale: 1000,
  },
  {
    name: 'probe_failures',
    kind: 'counter',
    unit: 'events',
    help: 'Health checks that failed.',
    labels: INSTANCE,
    scale: 1,
  },
  {
    name: 'cpu',
    kind: 'gauge',
    unit: 'cores',
    help: 'Processor that instances use, for those that a runtime of Switchboard runs.',
    labels: INSTANCE,
    scale: 1000,
    absent: 'unknown',
  },
  {
    name: 'memory',
    kind: 'gauge',
    unit: 'bytes',
    help: 'Memory that instances hold, for those that a runtime of Switchboard runs.',
    labels: INSTANCE,
    scale: 1,
    absent: 'unknown',
  },
  {
    name: 'instances_ready',
    kind: 'gauge',
    unit: 'instances',
    help: 'Instances that take new sessions.',
    labels: INSTANCE,
    scale: 1,
    absent: 'zero',
  },
] as const satisfies readonly Metric[];

export type MetricName = (typeof METRICS)[number]['name'];

/** How much of a slot was recorded: `n` looks, `sum` milliseconds. Without it nothing is known of the slot. */
export const COVERAGE = 'coverage';

export function metricOf(name: string): Metric | undefined {
  return METRICS.find((metric) => metric.name === name);
}
