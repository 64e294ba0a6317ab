/**
 * Whether Envoy hangs: it runs, and neither its admin address nor its clients' answers. One that a signal has stopped is continued, with all that it has
 * open; one that hangs on is ended. A standstill of the whole machine, as of a laptop asleep, stops this too and is no hang.
 */
import { request } from 'node:http';
import type { Address } from './bootstrap.ts';

export type Beat = 'answers' | 'silent' | 'hangs';

export interface PulseOptions {
  /** Each resolves within a few seconds, and never rejects. */
  readonly admin: () => Promise<boolean>;
  readonly clients: () => Promise<boolean>;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

const EVERY_MS = 2_000;
/** Looks may be late by this much; later than that, everything stood still. */
const LATE_MS = 6_000;
const SILENT_MS = 3_000;
const HANGS_MS = 12_000;

/** Call it often; undefined: it is not time yet. */
export function createPulse({ admin, clients, clock }: PulseOptions): () => Promise<Beat | undefined> {
  let lookedAt = -Infinity;
  let silentSince: number | undefined;
  let busy = false;

  return async () => {
    const start = clock();
    if (busy || start - lookedAt < EVERY_MS) return undefined;
    const stoodStill = start - lookedAt > LATE_MS;
    busy = true;
    // Whether a busy machine lets it answer at one of the two is enough.
    const answers = await Promise.any([admin().then(orThrow), clients().then(orThrow)]).catch(() => false);
    busy = false;
    lookedAt = clock();
    if (answers) {
      silentSince = undefined;
      return 'answers';
    }
    if (stoodStill || silentSince === undefined) silentSince = start;
    const silent = lookedAt - silentSince;
    return silent >= HANGS_MS ? 'hangs' : silent >= SILENT_MS ? 'silent' : undefined;
  };
}

function orThrow(answers: boolean): true {
  if (answers) return true;
  throw new Error('it does not answer');
}

/** Whether anything comes back from there, be it a refusal; the kernel takes connections for a process that hangs. */
export async function answersClients({ host, port }: Address, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(
      { host, port, path: '/', agent: false, signal: AbortSignal.timeout(timeoutMs) },
      (response) => {
        response.destroy();
        resolve(true);
      },
    );
    call.on('error', (error) => {
      resolve(error.name !== 'AbortError' && error.name !== 'TimeoutError');
    });
    call.end();
  });
}
