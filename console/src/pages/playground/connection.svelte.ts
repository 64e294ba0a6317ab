/** One WebSocket through the gateway, as any client opens it; knows MyAgent's events, shows every frame as it is. */
import { live } from '../../live/live.svelte.ts';
import { preferences } from '../../shell/preferences.svelte.ts';

const KEPT = 2_000;
/** MyAgent's server speaks first. One that has said nothing for so long speaks another protocol, and waits for us. */
const GREETING_MS = 1_000;

export interface Frame {
  readonly number: number;
  readonly at: number;
  readonly direction: 'sent' | 'received';
  readonly text: string;
  readonly bytes: number;
  /** MyAgent's event, and what it says; undefined: another protocol. */
  readonly event: string | undefined;
  readonly content: string | undefined;
}

interface Message {
  readonly event?: unknown;
  readonly content?: unknown;
  readonly session_id?: unknown;
}

function read(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && typeof (value as Message).event === 'string'
      ? (value as Message)
      : undefined;
  } catch {
    return undefined;
  }
}

export class Connection {
  state = $state<'closed' | 'opening' | 'open'>('closed');
  frames = $state.raw<readonly Frame[]>([]);
  /** Which protocol it speaks is known: what is said before would be said in the wrong one. */
  known = $state(false);
  /** The agent greeted as MyAgent's server does. */
  myagent = $state(false);
  /** Of MyAgent: until it is there, messages can't be sent. */
  session = $state<string>();
  handshakeMs = $state<number>();
  /** A mark in the address by which the control plane finds this very session. */
  mark = $state('');
  ended = $state.raw<{ code: number; reason: string; opened: boolean } | undefined>(undefined);
  #socket: WebSocket | undefined;
  #next = 1;

  open(url: string): void {
    this.close();
    this.frames = [];
    this.ended = undefined;
    this.session = undefined;
    this.myagent = false;
    this.known = false;
    this.handshakeMs = undefined;
    this.mark = crypto.getRandomValues(new Uint32Array(1))[0]?.toString(16) ?? '0';
    this.state = 'opening';
    const start = performance.now();
    const socket = new WebSocket(`${url}${url.includes('?') ? '&' : '?'}playground=${this.mark}`);
    this.#socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.handshakeMs = performance.now() - start;
      this.state = 'open';
      setTimeout(() => {
        if (this.#socket === socket) this.known = true;
      }, GREETING_MS);
    };
    socket.onmessage = (event: MessageEvent<unknown>) => {
      this.#receive(typeof event.data === 'string' ? event.data : '(binary)');
    };
    socket.onclose = ({ code, reason }) => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.state = 'closed';
      this.session = undefined;
      this.ended = { code, reason, opened };
    };
  }

  /** The text as the agent expects it: MyAgent's event around it, or as it is. */
  say(text: string): void {
    if (this.myagent && this.session !== undefined)
      this.send(JSON.stringify({ event: 'user.message', session_id: this.session, content: text }));
    else this.send(text);
  }

  send(text: string): void {
    this.#socket?.send(text);
    this.#add('sent', text);
  }

  close(): void {
    this.#socket?.close(1000);
  }

  #receive(text: string): void {
    this.#add('received', text);
    const message = read(text);
    if (message?.event === 'system.connected') {
      this.myagent = true;
      this.send(JSON.stringify({ event: 'user.create_session', content: {} }));
    } else if (message?.event === 'agent.session_created' && typeof message.session_id === 'string') {
      this.session = message.session_id;
    } else if (message?.event === 'agent.final_answer' || !this.myagent) {
      preferences.answered = true;
    }
    this.known = true;
  }

  #add(direction: Frame['direction'], text: string): void {
    const message = read(text);
    const content = message?.content;
    const frame: Frame = {
      number: this.#next,
      at: Date.now(),
      direction,
      text,
      bytes: new TextEncoder().encode(text).length,
      event: message?.event as string | undefined,
      content: content === undefined ? undefined : typeof content === 'string' ? content : JSON.stringify(content),
    };
    this.#next += 1;
    this.frames = [...this.frames, frame].slice(-KEPT);
  }
}

/** The gateway as this browser reaches it: one that listens at loopback for us may be at the host that the page came from. */
export function gatewayUrl(): string {
  const known = live.state?.status.gateway;
  if (known === undefined) return '';
  const local = ['127.0.0.1', 'localhost', '[::1]'].includes(location.hostname);
  return !local ? `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.hostname}:${known.port}` : known.url;
}
