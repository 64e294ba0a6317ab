/** An agent, and a client, that see each byte of HTTP: nothing between them and the socket. */
import { createServer, connect, type Socket } from 'node:net';
import { once } from 'node:events';

/** One turn: what the client sends, and what the agent answers. */
export interface Turn {
  readonly send: Buffer;
  /** The agent has all when what it got ends with this; absent: with the empty line after the head. */
  readonly sendsLast?: Buffer;
  readonly answer: Buffer;
  /** The agent answers the head, and not only all of it. */
  readonly answersHead?: true;
  /** The client has all when what it got ends with this; absent: with the last four bytes of the answer. */
  readonly answersLast?: Buffer;
}

/** What arrived on the other side. */
export interface Arrived {
  readonly atAgent: Buffer;
  /** Empty if the answer was cut or none came within the time. */
  readonly atClient: Buffer;
}

export interface Recorder extends AsyncDisposable {
  readonly port: number;
  /** One after another: the agent knows no other way which turn a connection belongs to. */
  turn(port: number, turn: Turn): Promise<Arrived>;
}

const HEAD_ENDS = Buffer.from('\r\n\r\n');
const LONGEST_MS = 10_000;

const endsWith = (bytes: Buffer, end: Buffer): boolean =>
  bytes.length >= end.length && bytes.subarray(bytes.length - end.length).equals(end);

/** Gathers what comes, until it ends so, the connection closes, or it takes too long. */
function gathered(socket: Socket, end: Buffer): Promise<Buffer> {
  let got: Buffer = Buffer.alloc(0);
  socket.on('error', () => undefined);
  return new Promise((resolve) => {
    const done = (): void => {
      resolve(got);
    };
    socket.on('data', (part) => {
      got = Buffer.concat([got, part]);
      if (endsWith(got, end)) done();
    });
    socket.on('close', done);
    setTimeout(done, LONGEST_MS).unref();
  });
}

export async function startRecorder(): Promise<Recorder> {
  let current: Turn | undefined;
  let gotAll: (bytes: Buffer) => void = () => undefined;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let got: Buffer = Buffer.alloc(0);
    let isAnswered = false;
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (part) => {
      if (current === undefined) return;
      got = Buffer.concat([got, part]);
      const hasAll = endsWith(got, current.sendsLast ?? HEAD_ENDS);
      if (!isAnswered && (hasAll || (current.answersHead === true && got.includes(HEAD_ENDS)))) {
        isAnswered = true;
        socket.write(current.answer);
      }
      if (!hasAll) return;
      gotAll(got);
      got = Buffer.alloc(0);
      isAnswered = false;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the recorder has no port');
  return {
    port: address.port,
    async turn(port, turn) {
      current = turn;
      let atAgent: Buffer = Buffer.alloc(0);
      const socket = connect(port, '127.0.0.1');
      const agentHasAll = new Promise<void>((resolve) => {
        gotAll = (bytes) => {
          atAgent = bytes;
          resolve();
        };
        socket.on('close', () => {
          resolve();
        });
        setTimeout(resolve, LONGEST_MS).unref();
      });
      const answer = gathered(socket, turn.answersLast ?? turn.answer.subarray(-4));
      socket.write(turn.send);
      const atClient = await answer;
      if (turn.answersHead === true) await agentHasAll;
      socket.destroy();
      current = undefined;
      return { atAgent, atClient };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export interface Message {
  /** The request line or the status line. */
  readonly start: string;
  /** As they stand there, in their order. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Bytes as latin1, so that none is lost. */
export function messageIn(bytes: Buffer): Message {
  const end = bytes.indexOf(HEAD_ENDS);
  const text = bytes.toString('latin1');
  const [start = '', ...lines] = text.slice(0, Math.max(end, 0)).split('\r\n');
  return {
    start,
    fields: lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
    body: text.slice(end + HEAD_ENDS.length),
  };
}
