import { describe, expect, it } from 'vitest';
import { whyEnded, type Flags } from './ending.ts';

const UC: Flags = { upstream_connection_termination: true };

const CLOSED =
  "the agent closed the connection: in answer to the client's goodbye, by its own wish, or because its process ended";

describe('why a session ended', () => {
  it('is told as what it was when nothing answers at the agent’s host any more', () => {
    const details = 'upstream_reset_after_response_started{connection_termination}';
    expect(whyEnded(UC, details, '', () => true)).toMatchObject({ endedBy: 'gateway', how: 'WireSilent' });
    expect(whyEnded({}, 'downstream_remote_disconnect', '', () => true).how).toBe('ClientClosed');
  });
  it.each([
    ['agent', 'the agent closed the connection', {}, 'via_upstream'],
    ['agent', CLOSED, UC, 'upstream_reset_after_response_started{connection_termination}'],
    ['agent', CLOSED, {}, 'upstream_reset_after_response_started{connection_termination}'],
    [
      'agent',
      'the connection to the agent broke',
      { upstream_remote_reset: true },
      'upstream_reset_after_response_started{remote_reset}',
    ],
    ['client', 'the client closed the connection', {}, 'downstream_remote_disconnect'],
    // The client went first; that its agent's side ended too follows from it.
    ['client', 'the client closed the connection', { ...UC, downstream_connection_termination: true }, ''],
    ['gateway', 'neither side sent a byte for the idle timeout', { stream_idle_timeout: true }, 'stream_idle_timeout'],
    ['gateway', 'it reached its longest duration', { duration_timeout: true }, 'max_duration_timeout'],
    ['gateway', 'the gateway ended it', { local_reset: true }, ''],
    // As Envoy tells it of the sessions of a listener that it has let go of.
    [
      'gateway',
      'the gateway ended it',
      { downstream_connection_termination: true },
      'downstream_local_disconnect(purging_socket_that_have_not_progressed_to_connections)',
    ],
    ['gateway', 'the gateway ended it', { downstream_connection_termination: true }, 'on_drain_deadline'],
  ] as const)('%s: %s: %j %s', (endedBy, why, flags, details) => {
    expect(whyEnded(flags, details, '')).toMatchObject({ endedBy, why });
  });
});
