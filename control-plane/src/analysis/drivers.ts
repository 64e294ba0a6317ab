/** Every metric that an analysis can name. To add one: its file in drivers/, its test, a line here. */
import { connectSuccess } from './drivers/connect-success.ts';
import { crashes } from './drivers/crashes.ts';
import { earlyEnds } from './drivers/early-ends.ts';
import { handshakeLatency } from './drivers/handshake-latency.ts';
import { logErrors } from './drivers/log-errors.ts';
import { probeFailures } from './drivers/probe-failures.ts';
import { prometheus } from './drivers/prometheus.ts';
import { turnedAway } from './drivers/turned-away.ts';
import { webhook } from './drivers/webhook.ts';
import type { Metric } from './metric.ts';

export const metricDrivers: readonly Metric<never>[] = [
  connectSuccess,
  turnedAway,
  earlyEnds,
  handshakeLatency,
  crashes,
  probeFailures,
  logErrors,
  prometheus,
  webhook,
] as unknown as readonly Metric<never>[];

/** What an analysis measures that names nothing. */
export const DEFAULT_CHECKS = ['connect-success', 'turned-away', 'early-ends', 'handshake-latency', 'crashes'] as const;
