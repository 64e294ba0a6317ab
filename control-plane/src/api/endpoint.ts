/**
 * One endpoint as data: path, query and body schemas, documentation, and the function that answers. The same table makes the routes and
 * the OpenAPI document, so neither can lack what the other has.
 */
import type { Context } from 'hono';
import { z } from 'zod';
import type { WriteOptions } from '../model/write.ts';
import type { ApiContext } from './context.ts';

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
}

export interface Endpoint {
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  /** OpenAPI's form: `/v1/services/{name}`. */
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: { readonly schema: z.ZodType; readonly example: unknown; readonly yaml?: boolean };
  readonly answer: { readonly status: number; readonly about: string; readonly example?: unknown };
  /** Without a token. */
  readonly open?: boolean;
  handle(call: Call): Promise<Response | object>;
}

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** What every write understands. */
export const writeQuery = {
  dryRun: flag.optional().describe('Tell what would happen, change nothing.'),
  wait: z.enum(['acked']).optional().describe('Answer when every connected Envoy runs the change.'),
  timeout: z
    .string()
    .regex(/^\d{1,6}(ms|s|m)$/)
    .optional()
    .describe('With wait: at most this long, such as 30s (the default).'),
  note: z.string().max(1000).optional().describe('Kept with the change.'),
};
export const nowQuery = { now: flag.optional().describe('Do not drain: open sessions end.') };
export const WriteQuery = z.strictObject(writeQuery);

/** `If-Match: "42"`, `If-None-Match: *`. */
function expected(hono: Context): number | undefined {
  if (hono.req.header('if-none-match') === '*') return 0;
  const match = /^(?:W\/)?"?(\d+)"?$/.exec(hono.req.header('if-match') ?? '');
  return match === null ? undefined : Number(match[1]);
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
