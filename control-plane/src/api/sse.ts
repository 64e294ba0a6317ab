/** Server-sent events: a stream that ends with its client, with a comment now and then so that a dead one is noticed. */
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Log } from '../log.ts';
import { problemOf } from './errors.ts';

const HEARTBEAT_MS = 15_000;

export interface EventSink {
  /** Resolves when the client can take more. */
  send(event: string, data: unknown, id?: string): Promise<void>;
  /** The same with data that is JSON text already. */
  sendText(event: string, data: string, id?: string): Promise<void>;
  /** Ends with the client or with the server. */
  readonly signal: AbortSignal;
}

/** An error of `produce` is the last event, `problem`: the status was sent long ago. */
export function sendEvents(
  { hono, closing, requestId, log }: { hono: Context; closing: AbortSignal; requestId: string; log: Log },
  produce: (sink: EventSink) => Promise<void>,
): Response {
  hono.header('x-accel-buffering', 'no');
  // Nobody would read the stream, so nobody would end it.
  if (hono.req.method === 'HEAD') return hono.body(null, 200, { 'content-type': 'text/event-stream' });
  return streamSSE(hono, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => {
      gone.abort();
    });
    const signal = AbortSignal.any([gone.signal, closing]);
    const heartbeat = setInterval(() => void stream.write(': ping\n\n'), HEARTBEAT_MS);
    const sendText = async (event: string, data: string, id?: string): Promise<void> =>
      stream.writeSSE({ event, data, ...(id === undefined ? {} : { id }) });
    const send = async (event: string, data: unknown, id?: string): Promise<void> =>
      sendText(event, JSON.stringify(data), id);
    try {
      await produce({ signal, send, sendText });
    } catch (error) {
      if (!signal.aborted) await send('problem', problemOf(error, requestId, log));
    } finally {
      clearInterval(heartbeat);
    }
  });
}
