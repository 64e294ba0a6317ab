/**
 * A talk with one agent over one connection, as a terminal, a pipe or a single message has it. An agent that greets with `system.connected` speaks the
 * MyAgent protocol: it gets a session and user messages; any other gets texts as they are, one answer each.
 */
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { SwitchboardError } from '../model/errors.ts';

export interface Shown {
  /** An answer. */
  answer(text: string): void;
  /** What goes on meanwhile. */
  aside(text: string): void;
}

export interface Conversation {
  /** Resolves when messages can be sent. */
  readonly ready: Promise<void>;
  send(text: string): void;
  /** Sends, and waits for the answer. Error: `timeout`. */
  ask(text: string, timeoutMs: number): Promise<void>;
  /** Resolves at the end of the connection with its close code. */
  readonly closed: Promise<number>;
  close(): void;
}

interface AgentEvent {
  event?: string;
  session_id?: string;
  content?: unknown;
}

/** An agent that says nothing in this time does not greet. */
const GREETING_WAIT_MS = 1_000;

function parsed(text: string): AgentEvent | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'event' in value ? (value as AgentEvent) : undefined;
  } catch {
    return undefined;
  }
}

const textOf = (content: unknown): string => (typeof content === 'string' ? content : JSON.stringify(content ?? ''));

/** The gateway says why in a body of its own; an agent that refuses may say anything. */
async function refusal(response: IncomingMessage): Promise<SwitchboardError> {
  const status = response.statusCode ?? 0;
  let why = '';
  try {
    const body = JSON.parse(await text(response)) as { message?: unknown };
    if (typeof body.message === 'string') why = `: ${body.message}`;
  } catch {
    // Whatever it is, it is not the gateway's.
  }
  return new SwitchboardError('unavailable', `the session is refused with ${status}${why}`, {
    remedy: 'See `switchboard get instances` and `switchboard explain`.',
  });
}

/** `raw`: texts go as they are, whatever the agent speaks. */
export function converse(url: string, raw: boolean, shown: Shown): Conversation {
  const socket = new WebSocket(url);
  const ready = Promise.withResolvers<undefined>();
  const closed = Promise.withResolvers<number>();
  ready.promise.catch(() => undefined);
  closed.promise.catch(() => undefined);
  let session: string | undefined;
  let speaks: 'unknown' | 'myagent' | 'text' = raw ? 'text' : 'unknown';
  let answered = Promise.withResolvers<undefined>();

  const emit = (event: string, content: unknown): void => {
    const timestamp = new Date().toISOString();
    socket.send(
      JSON.stringify({ event, timestamp, content, ...(session === undefined ? {} : { session_id: session }) }),
    );
  };
  function answer(text: string): void {
    shown.answer(text);
    answered.resolve(undefined);
  }
  function take(event: AgentEvent): void {
    switch (event.event ?? '') {
      case 'system.connected':
        speaks = 'myagent';
        shown.aside(textOf(event.content));
        emit('user.create_session', {});
        return;
      case 'agent.session_created':
        session = event.session_id;
        ready.resolve(undefined);
        return;
      case 'agent.final_answer':
        answer(textOf(event.content));
        return;
      case 'system.heartbeat':
        return;
      case 'system.error':
      case 'agent.error':
      case 'agent.timeout':
        shown.aside(`${event.event ?? ''} ${textOf(event.content)}`);
        answered.resolve(undefined);
        return;
      default:
        shown.aside(`${event.event ?? ''} ${textOf(event.content)}`);
    }
  }
  socket.on('open', () => {
    if (raw) ready.resolve(undefined);
    else
      void sleep(GREETING_WAIT_MS).then(() => {
        if (speaks === 'unknown') speaks = 'text';
        if (speaks === 'text') ready.resolve(undefined);
      });
  });
  socket.on('message', (data, binary) => {
    const said = binary ? `(${(data as Buffer).length} bytes)` : (data as Buffer).toString('utf8');
    const event = raw ? undefined : parsed(said);
    if (event !== undefined && (speaks === 'myagent' || event.event === 'system.connected')) take(event);
    else if (speaks === 'unknown') {
      // A greeting of its own kind.
      speaks = 'text';
      shown.answer(said);
      ready.resolve(undefined);
    } else answer(said);
  });
  const fail = (error: Error): void => {
    ready.reject(error);
    closed.reject(error);
    socket.terminate();
  };
  socket.on('unexpected-response', (_request, response) => {
    void refusal(response).then(fail);
  });
  socket.on('error', (error) => {
    fail(new SwitchboardError('unavailable', `cannot reach ${url}: ${error.message}`));
  });
  socket.on('close', (code) => {
    ready.reject(new SwitchboardError('unavailable', `the agent closed the connection with ${code}`));
    closed.resolve(code);
  });

  const send = (text: string): void => {
    if (speaks === 'myagent') emit('user.message', text);
    else socket.send(text);
  };
  return {
    ready: ready.promise,
    closed: closed.promise,
    send,
    async ask(text, timeoutMs) {
      answered = Promise.withResolvers<undefined>();
      send(text);
      const over = new AbortController();
      const late = sleep(timeoutMs, 'late', { signal: over.signal }).catch(() => 'late');
      const outcome = await Promise.race([answered.promise, closed.promise, late]);
      over.abort();
      if (outcome === 'late')
        throw new SwitchboardError('timeout', `no answer within ${Math.round(timeoutMs / 1000)} s`, {
          remedy: 'Wait longer with --timeout.',
        });
      if (typeof outcome === 'number')
        throw new SwitchboardError('unavailable', `the agent closed the connection with ${outcome} before it answered`);
    },
    close() {
      socket.close(1000);
    },
  };
}
