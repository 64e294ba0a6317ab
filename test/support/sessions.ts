/** Clients for tests: one session, and a crowd of them that keeps messages flowing and counts what is lost or cut. */
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, type RawData } from 'ws';

export interface Greeting {
  instance: string;
  pid: number;
  mark: string;
  url: string;
  /** As the agent got them. */
  headers: Record<string, string>;
}

export interface OpenSession {
  readonly socket: WebSocket;
  readonly greeting: Greeting;
  /** Of the 101. */
  readonly headers: IncomingHttpHeaders;
  /** Sends a text and gives the answer to it. */
  ask(text: string): Promise<string>;
  readonly closed: Promise<{ code: number }>;
  close(): Promise<void>;
}

export function textOf(data: RawData): string {
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data as ArrayBuffer).toString('utf8');
}

function nextText(socket: WebSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    const onClose = (code: number): void => {
      reject(new Error(`closed with ${code} while waiting for a message`));
    };
    socket.once('close', onClose);
    socket.once('message', (data) => {
      socket.off('close', onClose);
      resolve(textOf(data));
    });
  });
}

/** Opens a session and waits for the agent's greeting. Rejects with the HTTP status and body when the upgrade is refused. */
export async function openSession(
  url: string,
  options: {
    headers?: Record<string, string>;
    handshakeTimeoutMs?: number;
    localAddress?: string;
    /** Before all else, such as the header of the PROXY protocol. */
    first?: string;
  } = {},
): Promise<OpenSession> {
  const { headers: sent, handshakeTimeoutMs: handshakeTimeout = 15_000, localAddress, first: before } = options;
  const { hostname: host, port } = new URL(url);
  const createConnection = () => {
    const made = connect({ host, port: Number(port), localAddress });
    made.write(before ?? '');
    return made;
  };
  const socket = new WebSocket(url, {
    headers: sent,
    handshakeTimeout,
    localAddress,
    perMessageDeflate: false,
    ...(before === undefined ? {} : { createConnection }),
  });
  const first = nextText(socket);
  let headers: IncomingHttpHeaders = {};
  socket.once('upgrade', (response) => {
    headers = response.headers;
  });
  const closed = new Promise<{ code: number }>((resolve) => {
    socket.once('close', (code) => {
      resolve({ code });
    });
  });
  const refused = new Promise<never>((_, reject) => {
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        reject(new Error(`refused with ${response.statusCode ?? 0}: ${Buffer.concat(parts).toString('utf8')}`));
        socket.terminate();
      });
    });
  });
  first.catch(() => undefined);
  refused.catch(() => undefined);
  const greeting = JSON.parse(await Promise.race([first, refused])) as Greeting;
  socket.on('error', () => undefined);
  return {
    socket,
    greeting,
    headers,
    closed,
    async ask(text) {
      const answer = nextText(socket);
      socket.send(text);
      return answer;
    },
    async close() {
      socket.close(1000);
      await closed;
    },
  };
}

export interface Crowd {
  readonly sessions: readonly OpenSession[];
  /** Sessions that have ended though nobody here closed them. */
  cut(): number;
  /** Messages echoed so far, over all sessions. */
  echoed(): number;
  /** Stops sending, waits for what is on its way, and tells how many messages never came back. */
  settle(): Promise<{ sent: number; lost: number; cut: number }>;
  close(): Promise<void>;
}

/** Opens `count` sessions, each sending a numbered message every `everyMs` and checking that they come back in order. */
export async function openCrowd(url: string, count: number, everyMs = 200): Promise<Crowd> {
  const sessions: OpenSession[] = [];
  let closing = false;
  let cut = 0;
  let sent = 0;
  let echoed = 0;
  let disorder = 0;
  const timers: NodeJS.Timeout[] = [];
  for (let start = 0; start < count; start += 50) {
    const batch = await Promise.all(Array.from({ length: Math.min(50, count - start) }, () => openSession(url)));
    sessions.push(...batch);
  }
  for (const { socket } of sessions) {
    let next = 0;
    let expected = 0;
    socket.on('message', (data) => {
      if (Number(textOf(data)) !== expected) disorder += 1;
      expected += 1;
      echoed += 1;
    });
    socket.on('close', () => {
      if (!closing) cut += 1;
    });
    const timer = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(String(next));
      next += 1;
      sent += 1;
    }, everyMs);
    timers.push(timer);
  }
  return {
    sessions,
    cut: () => cut,
    echoed: () => echoed,
    async settle() {
      for (const timer of timers) clearInterval(timer);
      for (let round = 0; round < 100 && echoed < sent; round += 1) await sleep(50);
      return { sent, lost: sent - echoed + disorder, cut };
    },
    async close() {
      closing = true;
      for (const timer of timers) clearInterval(timer);
      await Promise.all(sessions.map(async (session) => session.close()));
    },
  };
}
