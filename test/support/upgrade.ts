/** One upgrade request with full control over path and headers, without a WebSocket library between: status, headers, and what came first. */
import { connect } from 'node:net';
import { request, type IncomingHttpHeaders } from 'node:http';

export interface UpgradeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The body of a refusal, or the bytes that followed the 101 at once. */
  readonly body: string;
}

export async function upgrade(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  localAddress = '127.0.0.1',
  /** Before all else, such as the header of the PROXY protocol. */
  first?: Uint8Array | string,
): Promise<UpgradeAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1',
      port,
      path,
      localAddress,
      // An agent of its own, which would pass over how the connection is to be made.
      ...(first === undefined
        ? { agent: false }
        : {
            createConnection: () => {
              const socket = connect({ host: '127.0.0.1', port, localAddress });
              socket.write(first);
              return socket;
            },
          }),
      timeout: 30_000,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'c3dpdGNoYm9hcmQtdGVzdA==',
        ...headers,
      },
    });
    sent.on('upgrade', (response, socket, head) => {
      let text = head.toString('utf8');
      const done = (): void => {
        socket.destroy();
        resolve({ status: 101, headers: response.headers, body: text });
      };
      socket.on('error', () => undefined);
      // The agent greets with one text frame of JSON.
      if (text.includes('}')) done();
      else
        socket.on('data', (part: Buffer) => {
          text += part.toString('utf8');
          if (text.endsWith('}')) done();
        });
      socket.on('close', done);
    });
    sent.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(parts).toString('utf8'),
        });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in 30 s')));
    sent.on('error', reject);
    sent.end();
  });
}

/** What the echo agent said of itself. */
export interface Greeted {
  readonly instance: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  /** The address at which the agent was reached. */
  readonly local: string;
}

export function greeted(answer: UpgradeAnswer): Greeted {
  // The frame's length may be a brace as well.
  return JSON.parse(answer.body.slice(answer.body.indexOf('{"'))) as Greeted;
}
