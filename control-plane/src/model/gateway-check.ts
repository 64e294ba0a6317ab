/**
 * Envoy's own check of an instance, as it is carried out. Where the service leaves it to us it fits the probe: what passes the one passes the other.
 *
 * An agent that is probed over HTTP is asked the same by the gateway. Any other is only connected to (tcp), for the sake of its log: most
 * WebSocket servers write a line or a traceback for a GET, and for each session that ends without a close frame, which is all that Envoy can do;
 * and some don't answer a GET at all. A connection alone misses a server that hangs. That is found by others: a process that is stopped by the
 * sweep of processes within a second, any other by the probe, which is made at once when a handshake hangs (telemetry tells within a second) and
 * says goodbye properly. Only while the control plane is away nobody finds a hang: who needs that sets the type `websocket` or `http`.
 */
import { HttpProbeOptions, type Probe } from './probe.ts';
import type { HealthCheck } from './service.ts';

export interface GatewayCheck extends Pick<HealthCheck, 'interval' | 'timeout' | 'unhealthyAfter'> {
  readonly type: Exclude<HealthCheck['type'], 'auto'>;
  /** Of `http` and `websocket`. */
  readonly path: string;
  /** Statuses that pass a check by `http`, inclusive. */
  readonly status: readonly [number, number];
}

/** A WebSocket server answers 426 to a plain GET: any answer but a server error shows that it lives. */
const ANY_ANSWER = [100, 499] as const;

const pathOf = ({ options }: Pick<Probe, 'options'>): string =>
  typeof options['path'] === 'string' ? options['path'] : '/';

/** `probe` is absent where instances of several services are meant. */
export function gatewayCheckOf(
  { type, path, ...times }: HealthCheck,
  probe: Pick<Probe, 'type' | 'options'> = { type: 'tcp', options: {} },
): GatewayCheck {
  const http = probe.type === 'http' ? HttpProbeOptions.safeParse(probe.options).data : undefined;
  const chosen = type === 'auto' ? (http === undefined ? 'tcp' : 'http') : type;
  return {
    ...times,
    type: chosen,
    path: path ?? http?.path ?? pathOf(probe),
    status: type === 'auto' && http !== undefined ? http.status : ANY_ANSWER,
  };
}

/** As the reasons name it. */
export function checkText({ type, path }: GatewayCheck): string {
  if (type === 'http') return `GET ${path} over HTTP`;
  return type === 'websocket' ? `a WebSocket handshake at ${path}` : 'a TCP connection';
}

/** The same check as a probe, so that it can be made again to see what it is answered. */
export function asProbe({ type, path, status, timeout }: GatewayCheck): Pick<Probe, 'type' | 'options' | 'timeout'> {
  if (type === 'http') return { type, options: { path, status: [...status] }, timeout };
  return type === 'websocket' ? { type, options: { path }, timeout } : { type: 'tcp', options: {}, timeout };
}

/** Why an instance that is well gets no sessions all the same. `answer`: what the check saw when it was made again. */
export function whyNotTaken(check: GatewayCheck, isAuto: boolean, answer: string): string {
  const setting = isAuto ? (check.type === 'tcp' ? undefined : 'tcp') : 'auto';
  const remedy = setting === undefined ? '' : `, or set spec.gateway.healthCheck.type to ${setting}`;
  return `the gateway sends it no new sessions: its check (${checkText(check)}) fails: ${answer}. Its own probe passes: make both agree${remedy}`;
}
