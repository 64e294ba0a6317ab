/**
 * A WebSocket handshake succeeds. It is done by hand on a plain connection: this probe runs for every instance every few seconds, and a
 * whole WebSocket for it costs five times the CPU. With `ping`, a real WebSocket is opened and a ping must be answered.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ProbeDriver } from '../probe.ts';
import { connectTo, hostOf } from '../connect.ts';
import { openSocket } from '../socket.ts';
import { timed, type Check } from '../timed.ts';

const Options = z.strictObject({
  path: z
    .string()
    .startsWith('/')
    .max(1024)
    .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII')
    .default('/'),
  subprotocol: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[\w.+-]+$/, 'must be a token')
    .optional(),
  ping: z.boolean().default(false),
});
type Options = z.infer<typeof Options>;

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** The key guards against caches, of which there are none here: one for all, so that its answer is computed once. */
const KEY = 'c3dpdGNoYm9hcmQtcHJvYg==';
const ACCEPT = createHash('sha1')
  .update(KEY + GUID)
  .digest('base64');
const LARGEST_ANSWER = 16_384;
/** A close frame with 1000, masked with zeros: https://www.rfc-editor.org/rfc/rfc6455#section-5.5.1 */
const CLOSE = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

/** All but the host. */
function requestOf({ path, subprotocol }: Options): { before: string; after: string } {
  const protocol = subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`];
  const after = [
    '',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    'User-Agent: switchboard-probe',
    ...protocol,
    '',
    '',
  ];
  return { before: `GET ${path} HTTP/1.1\r\nHost: `, after: after.join('\r\n') };
}

/** Undefined: well; else what is wrong. */
function judge(head: string, subprotocol: string | undefined): string | undefined {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1];
  if (status === undefined) return 'answered the WebSocket handshake with something that is not HTTP';
  if (status !== '101') return `answered the WebSocket handshake with HTTP ${status}, not 101`;
  if (/^sec-websocket-accept:\s*(\S+)\s*$/im.exec(head)?.[1] !== ACCEPT)
    return 'answered the WebSocket handshake with a wrong key';
  const chosen = /^sec-websocket-protocol:\s*(\S+)\s*$/im.exec(head)?.[1];
  return subprotocol === undefined || chosen === subprotocol
    ? undefined
    : `did not choose the subprotocol ${subprotocol}`;
}

/** What arrives is read out of it at once, so that one serves all connections: a buffer and a stream for each would be most of a probe's cost. */
const ARRIVED = Buffer.allocUnsafe(LARGEST_ANSWER);

function handshake(options: Options): Check {
  const request = requestOf(options);
  return async (target, signal, doing) =>
    new Promise((resolve, reject) => {
      let answer = '';
      let judged = false;
      const onread = {
        buffer: ARRIVED,
        callback(bytes: number) {
          if (judged) return true;
          answer += ARRIVED.toString('latin1', 0, bytes);
          const end = answer.indexOf('\r\n\r\n');
          if (end < 0 && answer.length < LARGEST_ANSWER) return true;
          judged = true;
          const wrong = judge(answer.slice(0, Math.max(end, 0)), options.subprotocol);
          // It speaks HTTP: what is wrong is a level above.
          if (answer.startsWith('HTTP/')) doing('the WebSocket handshake', 'websocket');
          // Our end is said politely, and the connection is not waited for.
          if (wrong === undefined) socket.end(CLOSE);
          else socket.end();
          socket.setTimeout(1_000, () => socket.destroy());
          if (wrong === undefined) resolve('answers the WebSocket handshake');
          else reject(new Error(wrong));
          return true;
        },
      };
      const socket = connectTo(target, { onread }, doing, () => {
        doing('the WebSocket handshake', 'http');
        socket.write(`${request.before}${hostOf(target)}${request.after}`, 'latin1');
      });
      signal.addEventListener('abort', () => socket.destroy(new Error('aborted')), { once: true });
      socket.once('error', reject);
      socket.once('close', () => {
        reject(new Error('closed the connection during the WebSocket handshake'));
      });
    });
}

function handshakeAndPing(options: Options): Check {
  return async (target, signal, doing) => {
    await using socket = await openSocket(target, options, signal, doing);
    doing('a pong', 'websocket');
    await socket.pong();
    return 'answers the WebSocket handshake and a ping';
  };
}

export const websocketProbe: ProbeDriver<Options> = {
  name: 'websocket',
  level: 'websocket',
  about: 'A WebSocket handshake succeeds; with `ping`, a ping is answered too.',
  options: Options,
  create: (options) => timed(options.ping ? handshakeAndPing(options) : handshake(options)),
};
