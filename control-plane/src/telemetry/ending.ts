/** Why a session ended, from Envoy's response flags and details. https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/response_code_details */
import type { EndedSession } from './session.ts';

export type Flags = Readonly<Record<string, boolean | undefined>>;

/** The flags that tell something about a session's end, with Envoy's short names. */
export const FLAGS = {
  downstream_connection_termination: 'DC',
  upstream_connection_termination: 'UC',
  upstream_remote_reset: 'UR',
  local_reset: 'LR',
  stream_idle_timeout: 'SI',
  upstream_max_stream_duration_reached: 'UMSDR',
  duration_timeout: 'DT',
  downstream_protocol_error: 'DPE',
  upstream_protocol_error: 'UPE',
  upstream_request_timeout: 'UT',
} as const;

/** What ends are counted by. `instance_lost` and `reset` are abnormal. */
export const END_CAUSES = [
  'client',
  'agent',
  'drained',
  'instance_lost',
  'reset',
  'idle',
  'max_duration',
  'gateway_lost',
  'unknown',
] as const;
export type EndCause = (typeof END_CAUSES)[number];

type Why = Pick<EndedSession, 'endedBy' | 'why' | 'details'>;

const AGENT_CLOSED =
  "the agent closed the connection: in answer to the client's goodbye, by its own wish, or because its process ended";

export function whyEnded(flags: Flags, responseDetails: string, termination: string): Why {
  const names = Object.entries(FLAGS)
    .filter(([field]) => flags[field] === true)
    .map(([, name]) => name);
  const details = [names.join(','), responseDetails, termination].filter((text) => text !== '').join(' ');
  if (flags['stream_idle_timeout'] === true)
    return { endedBy: 'gateway', why: 'neither side sent a byte for the idle timeout', details };
  if (flags['upstream_max_stream_duration_reached'] === true || flags['duration_timeout'] === true)
    return { endedBy: 'gateway', why: 'it reached its longest duration', details };
  if (flags['downstream_connection_termination'] === true || responseDetails === 'downstream_remote_disconnect')
    return { endedBy: 'client', why: 'the client closed the connection', details };
  // Envoy tells a connection that ended as a kind of reset: `upstream_reset_after_response_started{connection_termination}`. It does not
  // read frames, so these three look alike: by RFC 6455 it is the agent that closes the connection after a client's Close frame, too.
  if (flags['upstream_connection_termination'] === true || responseDetails.endsWith('{connection_termination}'))
    return { endedBy: 'agent', why: AGENT_CLOSED, details };
  if (flags['upstream_remote_reset'] === true || responseDetails.startsWith('upstream_reset'))
    return { endedBy: 'agent', why: 'the connection to the agent broke', details };
  if (responseDetails === 'via_upstream' || names.length === 0)
    return { endedBy: 'agent', why: 'the agent closed the connection', details };
  return { endedBy: 'gateway', why: 'the gateway ended it', details };
}
