/** Server-sent events: a stream that ends with its client, with a comment now and then so that a dead one is noticed. */
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';

const HEARTBEAT_MS = 15_000;

export interface EventSink {
  /** Resolves when the client has taken it. */
  send(event: string, data: unknown, id?: string): Promise<void>;
  readonly signal: AbortSignal;
}

export function sendEvents(
  context: Context,
  closing: AbortSignal,
  produce: (sink: EventSink) => Promise<void>,
): Response {
  context.header('cache-control', 'no-store');
  context.header('x-accel-buffering', 'no');
  return streamSSE(context, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => {
      gone.abort();
    });
    const signal = AbortSignal.any([gone.signal, closing]);
    const heartbeat = setInterval(() => void stream.write(': ping\n\n'), HEARTBEAT_MS);
    try {
      await produce({
        signal,
        send: async (event, data, id) =>
          stream.writeSSE({ event, data: JSON.stringify(data), ...(id === undefined ? {} : { id }) }),
      });
    } finally {
      clearInterval(heartbeat);
    }
  });
}

/** Resolves at the signal. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true });
  });
}
