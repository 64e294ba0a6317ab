/**
 * A sample agent that speaks the MyAgent protocol with no model behind it: JSON text frames, the server speaks first, one session a
 * connection, state that can be exported and brought back to this same process. Like the real server it cuts all connections at SIGTERM.
 */
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer, type WebSocket } from 'ws';

export interface Step {
  readonly event: string;
  readonly content: unknown;
}

export interface SampleAgent {
  readonly name: string;
  /** What the agent says to a message: thoughts and tool calls, the final answer last. */
  answer(text: string, history: readonly string[]): Step[];
}

interface Session {
  readonly id: string;
  history: string[];
}

interface Incoming {
  event?: unknown;
  session_id?: unknown;
  content?: unknown;
  signed_state?: unknown;
}

const HEARTBEAT_MS = 60_000;
const PING_MS = 30_000;
const THINK_MS = 40;
/** As the real server: random for each process, so that state comes back only to where it was made. */
const KEY = randomBytes(32);

function sign(state: string): string {
  return createHmac('sha256', KEY).update(state).digest('hex');
}

function log(level: string, message: string): void {
  const time = new Date().toISOString().replace('T', ' ').replace('Z', '');
  process.stderr.write(`${time} | ${level.padEnd(8)} | agent:serve:1 - ${message}\n`);
}

function serveConnection(agent: SampleAgent, socket: WebSocket): void {
  const connection = randomUUID();
  const sessions = new Map<string, Session>();
  let seq = 0;
  let turn: AbortController | undefined;

  function send(event: string, content: unknown, extra: Record<string, unknown> = {}): void {
    seq += 1;
    socket.send(
      JSON.stringify({
        event,
        timestamp: new Date().toISOString(),
        connection_id: connection,
        content,
        metadata: {},
        ...extra,
        seq,
        event_id: `${connection}-${seq}`,
      }),
    );
  }
  const refuse = (text: string): void => {
    send('system.error', text);
  };

  async function takeTurn(session: Session, text: string): Promise<void> {
    const mine = new AbortController();
    turn = mine;
    try {
      for (const step of agent.answer(text, session.history)) {
        await sleep(THINK_MS, undefined, { signal: mine.signal });
        send(step.event, step.content, { session_id: session.id });
      }
      session.history.push(text);
    } catch {
      send('agent.interrupted', 'cancelled', { session_id: session.id });
    }
  }

  function open(history: string[], event: string): Session {
    const session: Session = { id: randomUUID(), history };
    sessions.set(session.id, session);
    send(event, { session_id: session.id }, { session_id: session.id });
    return session;
  }

  function restore(message: Incoming): void {
    const content = message.content as { signed_state?: unknown } | undefined;
    const signed = (typeof content === 'object' ? content.signed_state : undefined) ?? message.signed_state;
    const { state, signature } = (typeof signed === 'object' && signed !== null ? signed : {}) as {
      state?: unknown;
      signature?: unknown;
    };
    const good =
      typeof state === 'string' &&
      typeof signature === 'string' &&
      signature.length === 64 &&
      timingSafeEqual(Buffer.from(sign(state)), Buffer.from(signature));
    if (!good) {
      refuse('Invalid state signature');
      return;
    }
    const { history } = JSON.parse(state) as { history: string[] };
    open(history, 'agent.state_restored');
  }

  function handle(message: Incoming): void {
    const session = sessions.get(typeof message.session_id === 'string' ? message.session_id : '');
    const inner = typeof message.content === 'object' ? (message.content as { text?: unknown } | null)?.text : message.content;
    const text = typeof inner === 'string' ? inner : '';
    switch (message.event) {
      case 'user.create_session':
        open([], 'agent.session_created');
        return;
      case 'user.message':
      case 'user.response':
        if (session === undefined) refuse('Unknown session');
        else void takeTurn(session, text);
        return;
      case 'user.cancel':
        turn?.abort();
        return;
      case 'user.ack':
        return;
      case 'user.request_state': {
        if (session === undefined) {
          refuse('Unknown session');
          return;
        }
        const state = JSON.stringify({ history: session.history });
        send('agent.state_exported', 'state', {
          session_id: session.id,
          metadata: { signed_state: { state, signature: sign(state) } },
        });
        return;
      }
      case 'user.reconnect_with_state':
        restore(message);
        return;
      default:
        refuse(`Unknown event: ${String(message.event)}`);
    }
  }

  socket.on('error', () => undefined);
  socket.on('message', (data, binary) => {
    let message: unknown;
    try {
      message = JSON.parse(binary ? '' : (data as Buffer).toString('utf8'));
    } catch {
      refuse('Invalid JSON');
      return;
    }
    if (typeof message === 'object' && message !== null) handle(message);
    else refuse('Invalid message');
  });
  const heartbeat = setInterval(() => {
    send('system.heartbeat', '');
  }, HEARTBEAT_MS);
  const ping = setInterval(() => {
    socket.ping();
  }, PING_MS);
  socket.on('close', () => {
    clearInterval(heartbeat);
    clearInterval(ping);
    turn?.abort();
  });
  send('system.connected', `Connected to ${agent.name}`, { metadata: { connection_id: connection } });
}

export function serveAgent(agent: SampleAgent): void {
  const { values } = parseArgs({
    options: { host: { type: 'string', default: '127.0.0.1' }, port: { type: 'string', default: '8080' } },
  });
  const server = new WebSocketServer({
    host: values.host,
    port: Number(values.port),
    maxPayload: 1024 * 1024,
    perMessageDeflate: true,
  });
  server.on('connection', (socket) => {
    serveConnection(agent, socket);
  });
  server.on('listening', () => {
    log('INFO', `${agent.name} listens on ${values.host}:${values.port}`);
  });
  server.on('error', (error) => {
    log('ERROR', error.message);
    process.exit(1);
  });
  process.on('SIGTERM', () => {
    log('INFO', 'ends');
    for (const socket of server.clients) socket.close(1000);
    server.close();
    setTimeout(() => process.exit(0), 100);
  });
}
