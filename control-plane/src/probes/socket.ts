/** A WebSocket for one probe: opened, asked one thing, closed; never left open, whatever happens. */
import { WebSocket } from 'ws';
import { addressText } from '../model/address.ts';
import { hostOf, tlsOptions } from './connect.ts';
import type { ProbeTarget } from './probe.ts';
import type { Doing } from './timed.ts';

export interface ProbeSocket extends AsyncDisposable {
  pong(): Promise<void>;
  /** The first message, as text; also one that came with the handshake. */
  message(): Promise<string>;
}

const LARGEST_MESSAGE = 1024 * 1024;
/** An agent that does not answer our close in this time is left. */
const CLOSE_WAIT_MS = 250;

export async function openSocket(
  target: ProbeTarget,
  options: { path: string; subprotocol?: string | undefined },
  signal: AbortSignal,
  doing: Doing,
): Promise<ProbeSocket> {
  const { tls } = target;
  const url = `${tls === undefined ? 'ws' : 'wss'}://${addressText(target)}${options.path}`;
  const socket = new WebSocket(url, options.subprotocol ?? [], {
    ...(tls === undefined ? {} : tlsOptions(tls)),
    perMessageDeflate: false,
    maxPayload: LARGEST_MESSAGE,
    headers: { host: hostOf(target), 'user-agent': 'switchboard-probe' },
  });
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  const first = Promise.withResolvers<string>();
  first.promise.catch(() => undefined);
  const opened = Promise.withResolvers<undefined>();
  const abort = (): void => {
    failure.reject(new Error('aborted'));
    socket.terminate();
  };
  signal.addEventListener('abort', abort, { once: true });
  socket.on('error', (error) => {
    failure.reject(error);
  });
  socket.once('unexpected-response', (_request, response) => {
    doing('the WebSocket handshake', 'websocket');
    failure.reject(new Error(`answered the WebSocket handshake with HTTP ${response.statusCode ?? 0}, not 101`));
    socket.terminate();
  });
  socket.once('close', (code) => {
    failure.reject(new Error(`closed the connection with ${code}`));
  });
  socket.once('upgrade', (response) => response.socket.setNoDelay(true));
  socket.once('message', (data) => {
    first.resolve(Buffer.isBuffer(data) ? data.toString('utf8') : '');
  });
  socket.once('open', () => {
    opened.resolve(undefined);
  });
  doing('the WebSocket handshake', 'http');

  const dispose = async (): Promise<void> => {
    signal.removeEventListener('abort', abort);
    if (socket.readyState === WebSocket.OPEN) {
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.close(1000);
      const timer = setTimeout(() => {
        socket.terminate();
      }, CLOSE_WAIT_MS);
      await closed;
      clearTimeout(timer);
    } else socket.terminate();
  };

  try {
    await Promise.race([opened.promise, failure.promise]);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    async pong() {
      const pong = new Promise<void>((resolve) => {
        socket.once('pong', () => {
          resolve();
        });
      });
      socket.ping();
      await Promise.race([pong, failure.promise]);
    },
    message: async () => Promise.race([first.promise, failure.promise]),
    [Symbol.asyncDispose]: dispose,
  };
}
