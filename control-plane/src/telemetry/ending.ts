/** Why a session ended, from Envoy's response flags and details. https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/response_code_details */
import type { EndReason } from '../model/reasons.ts';
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

type Why = Pick<EndedSession, 'endedBy' | 'how' | 'why' | 'details'>;

const WAYS: Readonly<Record<EndReason, Pick<EndedSession, 'endedBy' | 'why'>>> = {
  Idle: { endedBy: 'gateway', why: 'neither side sent a byte for the idle timeout' },
  LongestDuration: { endedBy: 'gateway', why: 'it reached its longest duration' },
  ClientClosed: { endedBy: 'client', why: 'the client closed the connection' },
  AgentOrClientClosed: {
    endedBy: 'agent',
    why: "the agent closed the connection: in answer to the client's goodbye, by its own wish, or because its process ended",
  },
  AgentBroke: { endedBy: 'agent', why: 'the connection to the agent broke' },
  AgentClosed: { endedBy: 'agent', why: 'the agent closed the connection' },
  GatewayEnded: { endedBy: 'gateway', why: 'the gateway ended it' },
  GatewayLost: { endedBy: 'gateway', why: 'the gateway that carried it ended' },
  NotTold: { endedBy: 'unknown', why: 'the gateway no longer tells of it; the record of its end was lost' },
  WhileAway: { endedBy: 'unknown', why: 'it ended while no control plane was there to be told' },
  WireSilent: {
    endedBy: 'gateway',
    why: "nothing came back from the agent's host any more, and the gateway's connection to it ran into its time limit",
  },
};

/** `details`: Envoy's own words, if there are any. */
export const endedBy = (how: EndReason, details = ''): Why => ({ how, ...WAYS[how], details });

function wayOf(flags: Flags, responseDetails: string, named: boolean, unanswered: () => boolean): EndReason {
  if (flags['stream_idle_timeout'] === true) return 'Idle';
  if (flags['upstream_max_stream_duration_reached'] === true || flags['duration_timeout'] === true)
    return 'LongestDuration';
  // Envoy sets the client's flag for its own doing, too: the end of a listener that a change has replaced.
  if (/^(downstream_local_disconnect|on_drain_deadline)/.test(responseDetails)) return 'GatewayEnded';
  if (flags['downstream_connection_termination'] === true || responseDetails === 'downstream_remote_disconnect')
    return 'ClientClosed';
  // Envoy tells a connection that ended as a kind of reset: `upstream_reset_after_response_started{connection_termination}`. It does not
  // read frames, so these three look alike: by RFC 6455 it is the agent that closes the connection after a client's Close frame, too.
  // So does one that the kernel gave up since nobody answered: only another look at the agent's host tells that.
  if (flags['upstream_connection_termination'] === true || responseDetails.endsWith('{connection_termination}'))
    return unanswered() ? 'WireSilent' : 'AgentOrClientClosed';
  if (flags['upstream_remote_reset'] === true || responseDetails.startsWith('upstream_reset')) return 'AgentBroke';
  return responseDetails === 'via_upstream' || !named ? 'AgentClosed' : 'GatewayEnded';
}

/** `unanswered`: the agent's host answers nothing at present, not even with a refusal. */
export function whyEnded(
  flags: Flags,
  responseDetails: string,
  termination: string,
  unanswered: () => boolean = () => false,
): Why {
  const names = Object.entries(FLAGS)
    .filter(([field]) => flags[field] === true)
    .map(([, name]) => name);
  const details = [names.join(','), responseDetails, termination].filter((text) => text !== '').join(' ');
  return endedBy(wayOf(flags, responseDetails, names.length > 0, unanswered), details);
}
