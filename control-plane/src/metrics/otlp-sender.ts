/**
 * Sends metrics to an OpenTelemetry collector, once in each interval, one request at a time. All counters go on from the start of the process,
 * so a request that is lost loses nothing but its moment: nothing is kept or sent again. A collector that is down is told of once.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { messageOf } from '../model/errors.ts';
import type { Log } from '../log.ts';
import type { OtlpRequest } from './otlp.ts';

export interface OtlpSender {
  /** Sends once more if the collector was there, but waits no longer than a second. */
  close(): Promise<void>;
}

export interface OtlpSenderOptions {
  readonly url: URL;
  readonly intervalMs: number;
  /** Read each time: files with secrets are changed. Never logged. */
  readonly headers: () => Record<string, string>;
  readonly read: () => Promise<OtlpRequest>;
  readonly log: Log;
}

const LONGEST_MS = 10_000;
const LAST_MS = 1_000;
/** Of an answer, which is small when it is one. */
const MOST_BYTES = 65_536;

const compress = promisify(gzip);

async function textOf(answer: Response): Promise<string> {
  if (answer.body === null) return '';
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body as AsyncIterable<Uint8Array>) {
    parts.push(part);
    size += part.length;
    if (size > MOST_BYTES) break;
  }
  return Buffer.concat(parts).toString('utf8');
}

/** What a collector left out though it took the request; empty: nothing. */
function rejected(text: string): string {
  try {
    const { partialSuccess } = JSON.parse(text) as {
      partialSuccess?: { rejectedDataPoints?: string | number; errorMessage?: string };
    };
    const points = Number(partialSuccess?.rejectedDataPoints ?? 0);
    return points > 0 ? `it left out ${points} values: ${(partialSuccess?.errorMessage ?? '').slice(0, 300)}` : '';
  } catch {
    return '';
  }
}

export function startOtlpSender({ url, intervalMs, headers, read, log }: OtlpSenderOptions): OtlpSender {
  const closing = new AbortController();
  const collector = url.origin + url.pathname;
  let trouble = '';
  let sending: Promise<void> | undefined;
  let wasThere = false;

  function tell(reason: string): void {
    if (reason === trouble || (reason !== '' && trouble !== '')) return;
    if (reason === '') log.info({ collector }, 'metrics are sent again');
    else log.warn({ collector, error: reason }, 'metrics cannot be sent; it is tried again at each interval');
    trouble = reason;
  }

  async function post(signal: AbortSignal): Promise<void> {
    const body = await compress(JSON.stringify(await read()));
    const answer = await fetch(url, {
      method: 'POST',
      headers: { ...headers(), 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body,
      // It must not lead the headers somewhere else.
      redirect: 'error',
      signal,
    });
    const text = await textOf(answer);
    if (!answer.ok) throw new Error(`it answers with status ${answer.status}`);
    const left = rejected(text);
    if (left !== '') throw new Error(left);
  }

  async function send(signal: AbortSignal): Promise<void> {
    try {
      await post(signal);
      wasThere = true;
      tell('');
    } catch (error) {
      if (closing.signal.aborted) return;
      wasThere = false;
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      tell(messageOf(error) + cause);
    }
  }

  const timer = setInterval(() => {
    // A slow collector is not asked twice at a time.
    sending ??= send(AbortSignal.any([closing.signal, AbortSignal.timeout(LONGEST_MS)])).finally(() => {
      sending = undefined;
    });
  }, intervalMs);
  timer.unref();

  return {
    async close() {
      clearInterval(timer);
      closing.abort();
      await sending;
      if (wasThere) await post(AbortSignal.timeout(LAST_MS)).catch(() => undefined);
    },
  };
}
