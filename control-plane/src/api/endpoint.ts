/**
 * One endpoint as data: path, query and body schemas, documentation, and the function that answers. The same table makes the routes and
 * the OpenAPI document, so neither can lack what the other has.
 */
import type { Context } from 'hono';
import { z } from 'zod';
import type { Log } from '../log.ts';
import { SwitchboardError } from '../model/errors.ts';
import { plainText } from '../model/plain-text.ts';
import { Duration, durationMs } from '../model/units.ts';
import type { WriteOptions } from '../model/write.ts';
import type { ApiContext } from './context.ts';
import type { LiveFeed } from './live-feed.ts';

export interface Call {
  readonly api: ApiContext;
  readonly hono: Context;
  /** From the path. */
  param(name: string): string;
  readonly query: Readonly<Record<string, unknown>>;
  /** As the body's schema gives it. */
  readonly body: unknown;
  readonly actor: string;
  readonly requestId: string;
  /** Ends with the client or with the server. */
  readonly closing: AbortSignal;
  readonly live: LiveFeed;
}

export type Answer = { readonly status: number; readonly about: string; readonly example?: unknown } & (
  | {
      /** Of its JSON. It is for the document, for types and for tests: answers are not checked before they are sent. */
      readonly schema: z.ZodType;
      /** Another status that comes with the same form. */
      readonly also?: number;
      /** Also as a stream of events, with `Accept: text/event-stream`. */
      readonly stream?: true;
    }
  /** Something else: a stream, text, a file. */
  | { readonly type: string }
);

export interface Endpoint {
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  /** OpenAPI's form: `/v1/services/{name}`. */
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  /** Parameters that may stand several times; the handler reads all of them. */
  readonly repeated?: readonly string[];
  readonly body?: {
    /** What the handler gets. */
    readonly schema: z.ZodType;
    /** What the document says, where the registry checks more than the schema; default: the schema. */
    readonly told?: z.ZodType;
    readonly example: unknown;
    readonly yaml?: boolean;
  };
  readonly answer: Answer;
  /** Without a token. */
  readonly open?: boolean;
  handle(call: Call): Promise<Response | object>;
}

export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** A duration with an end: timers of more than 24 days would fire at once. */
export function atMost(longest: string): z.ZodType<string> {
  return Duration.refine(
    (text) => !Duration.safeParse(text).success || durationMs(text) <= durationMs(longest),
    `must be at most ${longest}`,
  );
}

/** What every write understands. */
export const writeQuery = {
  dryRun: flag.optional().describe('Tell what would happen, change nothing.'),
  wait: z.enum(['acked']).optional().describe('Answer when every connected Envoy runs the change.'),
  timeout: atMost('1h').optional().describe('With wait: at most this long, such as 30s (the default); 1h at most.'),
  note: plainText(1000).optional().describe('Kept with the change.'),
};
export const nowQuery = { now: flag.optional().describe('Do not drain: open sessions end.') };
export const WriteQuery = z.strictObject(writeQuery);

/**
 * `If-Match: "42"`, `If-Match: *`, `If-None-Match: *` (RFC 9110 section 13.1). Anything else is refused: to pass over a condition would make the write
 * an unconditional one.
 */
function expected(hono: Context): number | 'any' | undefined {
  const [match, none] = [hono.req.header('if-match'), hono.req.header('if-none-match')];
  const refuse = (header: string, message: string): never => {
    throw new SwitchboardError('invalid', `the header ${header} ${message}`, { issues: [{ path: header, message }] });
  };
  if (none !== undefined) {
    if (match !== undefined) refuse('if-none-match', 'cannot be sent together with if-match');
    return none.trim() === '*' ? 0 : refuse('if-none-match', 'must be * here');
  }
  if (match === undefined) return undefined;
  if (match.trim() === '*') return 'any';
  const revision = /^(?:W\/)?"?(\d{1,15})"?$/.exec(match.trim())?.[1];
  return revision === undefined
    ? refuse('if-match', 'must be one revision, the ETag that was read, such as "42", or *')
    : Number(revision);
}

export function writeOptions(call: Call): WriteOptions {
  const expectRevision = expected(call.hono);
  const { dryRun, note } = call.query as { dryRun?: boolean; note?: string };
  return {
    actor: call.actor,
    requestId: call.requestId,
    ...(dryRun === true ? { dryRun } : {}),
    ...(note === undefined ? {} : { note }),
    ...(expectRevision === undefined ? {} : { expectRevision }),
  };
}

export function wantsStream(call: Call): boolean {
  return (call.hono.req.header('accept') ?? '').includes('text/event-stream');
}

/** What a stream of events needs of its call. */
export function streamOf(call: Call): { hono: Context; closing: AbortSignal; requestId: string; log: Log } {
  return { hono: call.hono, closing: call.closing, requestId: call.requestId, log: call.api.log };
}
