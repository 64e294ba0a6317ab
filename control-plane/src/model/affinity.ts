/** How a client that comes back finds the instance that it was at. */
import { z } from 'zod';
import { PositiveDuration } from './units.ts';

const TOKEN_NAME = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[A-Za-z0-9_-]+$/, 'must be letters, digits, hyphens and underscores');

const HeaderName = TOKEN_NAME.toLowerCase().refine(
  (name) => !name.startsWith('x-switchboard-') && !name.includes('_'),
  'must have no underscore, and not start with x-switchboard-: such headers are removed from what clients send',
);

const bound = {
  /** Its instance is gone: true refuses with 503 and says so, false takes it to another. */
  strict: z.boolean().default(false),
  /** An instance that drains still takes those who come back. */
  whileDraining: z.boolean().default(false),
};

export const Affinity = z.discriminatedUnion('type', [
  /** For browsers: a cookie with an opaque token. Exact. */
  z.strictObject({
    type: z.literal('cookie'),
    name: TOKEN_NAME.optional(),
    /** Absent: the cookie ends with the browser's session. */
    ttl: PositiveDuration.optional(),
    ...bound,
  }),
  /** For programs: the 101 carries the token in this header; the client sends it back in the same header or in the query parameter. Exact. */
  z.strictObject({
    type: z.literal('header'),
    name: HeaderName.default('x-session-affinity'),
    query: TOKEN_NAME.default('affinity'),
    ...bound,
  }),
  /** A key of the client's own choice, from its first connection on, by consistent hashing: it moves only when instances come or go. */
  z.strictObject({
    type: z.literal('key'),
    /** The first of these that a request has counts. */
    query: z.array(TOKEN_NAME).max(4).default(['affinity', 'session_id']),
    header: HeaderName.optional(),
    cookie: TOKEN_NAME.optional(),
  }),
]);
export type Affinity = z.infer<typeof Affinity>;
