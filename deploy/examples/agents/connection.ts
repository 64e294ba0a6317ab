/**
 * One client's connection as a MyAgent server holds it: numbers what it sends, keeps the sessions that live and die with it,
 * and answers each client event. No event ends the connection: what is wrong gets `system.error`.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionState, StateSigner } from './signed-state.ts';

/** What an agent does in one turn; the last step is the final answer. */
export type Step =
  | { readonly type: 'thinking'; readonly text: string }
  | {
      readonly type: 'tool';
      readonly name: string;
      readonly arguments: Record<string, unknown>;
      readonly result: Record<string, unknown>;
    }
  | { readonly type: 'answer'; readonly text: string };

export interface Agent {
  readonly name: string;
  turn(message: string): readonly Step[];
}

export interface ConnectionOptions {
  readonly agent: Agent;
  readonly signer: StateSigner;
  /** Milliseconds between the events of a turn. */
  readonly paceMs: number;
  readonly log: (level: 'INFO' | 'WARNING', message: string) => void;
  readonly send: (text: string) => void;
}

interface Session {
  state: SessionState;
  turn: AbortController | undefined;
}

export interface Connection {
  receive(text: string): void;
  heartbeat(): void;
  /** Ends every turn: the client has gone. */
  drop(): void;
}

type Fields = Record<string, unknown>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function openConnection(options: ConnectionOptions): Connection {
  const { agent, signer, log } = options;
  const id = randomUUID();
  const sessions = new Map<string, Session>();
  let seq = 0;
  let acked = 0;

  const emit = (event: string, fields: Fields = {}): void => {
    seq += 1;
    const timestamp = new Date().toISOString();
    options.send(JSON.stringify({ event, timestamp, ...fields, seq, event_id: `${id}-${seq}` }));
  };
  const fail = (message: string, sessionId?: string): void => {
    log('WARNING', message);
    emit('system.error', { ...(sessionId === undefined ? {} : { session_id: sessionId }), content: message });
  };

  function createSession(turns = 0): Session {
    const state = { session_id: randomUUID(), agent: agent.name, created_at: new Date().toISOString(), turns };
    const session: Session = { state, turn: undefined };
    sessions.set(state.session_id, session);
    return session;
  }

  function sessionOf(message: Fields): Session | undefined {
    const sessionId = message['session_id'];
    const session = typeof sessionId === 'string' ? sessions.get(sessionId) : undefined;
    if (session === undefined) fail(`Session not found: ${String(sessionId)}`);
    return session;
  }

  async function runTurn(session: Session, text: string): Promise<void> {
    const abort = new AbortController();
    session.turn = abort;
    session.state = { ...session.state, turns: session.state.turns + 1 };
    const session_id = session.state.session_id;
    try {
      for (const [index, step] of agent.turn(text).entries()) {
        await sleep(options.paceMs, undefined, { signal: abort.signal });
        const common = { session_id, step_id: `step_${index + 1}` };
        if (step.type === 'thinking') emit('agent.thinking', { ...common, content: step.text });
        else if (step.type === 'answer') emit('agent.final_answer', { ...common, content: step.text });
        else {
          const call = { tool_name: step.name, arguments: step.arguments };
          emit('agent.tool_call', { ...common, content: step.name, metadata: call });
          await sleep(options.paceMs, undefined, { signal: abort.signal });
          emit('agent.tool_result', { ...common, content: step.result, metadata: { tool_name: step.name } });
        }
      }
    } catch {
      // Only the waits can fail, and only because the turn was cancelled or the client has gone.
      emit('agent.interrupted', { session_id, content: 'The turn was cancelled' });
    } finally {
      session.turn = undefined;
    }
  }

  const handlers: Record<string, (message: Fields, content: Fields) => void> = {
    'user.create_session': () => {
      const session = createSession();
      log('INFO', `Session created: ${session.state.session_id}`);
      emit('agent.session_created', {
        session_id: session.state.session_id,
        content: 'Session created',
        metadata: { agent_name: agent.name, connection_id: id },
      });
    },
    'user.message': (message) => {
      const session = sessionOf(message);
      if (session === undefined) return;
      const { session_id } = session.state;
      if (typeof message['content'] !== 'string') fail('user.message needs a text as content', session_id);
      else if (session.turn !== undefined) fail('A turn is running in this session', session_id);
      else void runTurn(session, message['content']);
    },
    'user.cancel': (message) => {
      const session = sessionOf(message);
      if (session?.turn !== undefined) session.turn.abort();
      else if (session !== undefined) {
        emit('agent.interrupted', { session_id: session.state.session_id, content: 'No turn was running' });
      }
    },
    'user.ack': (_message, content) => {
      const event = content['last_event_id'];
      const last = typeof event === 'string' ? Number(event.slice(event.lastIndexOf('-') + 1)) : content['last_seq'];
      if (typeof last === 'number' && Number.isInteger(last)) acked = Math.max(acked, last);
    },
    'user.request_state': (message) => {
      const session = sessionOf(message);
      if (session === undefined) return;
      emit('agent.state_exported', {
        session_id: session.state.session_id,
        content: 'State exported',
        metadata: { signed_state: signer.sign(session.state), last_seq: seq, acked_seq: acked },
      });
    },
    'user.reconnect_with_state': (message, content) => {
      const state = signer.verify(content['signed_state'] ?? message['signed_state']);
      if (state === undefined) {
        fail('Invalid state signature');
        return;
      }
      const session = createSession(state.turns);
      emit('agent.state_restored', {
        session_id: session.state.session_id,
        content: 'State restored',
        metadata: { previous_session_id: state.session_id, turns: state.turns },
      });
    },
    'user.response': (message) => {
      const session = sessionOf(message);
      if (session !== undefined) fail('No confirmation is pending', session.state.session_id);
    },
  };

  emit('system.connected', { content: `Connected to ${agent.name}`, metadata: { connection_id: id } });
  return {
    receive(text) {
      let message: unknown;
      try {
        message = JSON.parse(text);
      } catch {
        fail('Invalid JSON format');
        return;
      }
      if (!isObject(message) || typeof message['event'] !== 'string') {
        fail('A message needs an event');
        return;
      }
      const handle = Object.hasOwn(handlers, message['event']) ? handlers[message['event']] : undefined;
      if (handle === undefined) fail(`Unknown event: ${message['event']}`);
      else handle(message, isObject(message['content']) ? message['content'] : {});
    },
    heartbeat() {
      emit('system.heartbeat', { metadata: { sessions: sessions.size } });
    },
    drop() {
      for (const session of sessions.values()) session.turn?.abort();
      sessions.clear();
    },
  };
}
