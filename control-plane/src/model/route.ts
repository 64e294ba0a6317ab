/** A Route leads clients to a service. Every service has `/agents/<name>` without one. */
import { z } from 'zod';
import { Labels, Name } from './meta.ts';

const Path = z
  .string()
  .startsWith('/', 'must start with /')
  .max(1024)
  .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without white space (others percent-encoded)')
  .regex(/^[^?#]*$/, 'must not contain ? or #');
const Pair = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[\w!#$%&'*+.^`|~-]+$/, "must be a token of letters, digits and !#$%&'*+.^`|~-"),
  equals: z
    .string()
    .max(1024)
    .regex(/^\P{Cc}*$/u, 'must not contain control characters'),
});

export const RouteSpec = z.strictObject({
  match: z
    .strictObject({
      host: z
        .string()
        .max(253)
        .regex(/^[A-Za-z0-9.-]+$/, 'must be a host name')
        .optional(),
      /** At most one of the two; neither: every path. `prefix: /a` matches /a and /a/b, not /ab. */
      path: z.union([z.strictObject({ exact: Path }), z.strictObject({ prefix: Path })]).optional(),
      headers: z.array(Pair).max(16).default([]),
      query: z.array(Pair).max(16).default([]),
    })
    .prefault({}),
  target: z.strictObject({ service: Name }),
  /** Replaces the matched path or prefix. Absent: the path goes through as it is. */
  rewrite: Path.optional(),
  /** Higher first; then the more specific match; then by name. */
  priority: z.int().min(-1000).max(1000).default(0),
  enabled: z.boolean().default(true),
});
export type RouteSpec = z.infer<typeof RouteSpec>;

export const RouteDocument = z.strictObject({
  kind: z.literal('Route'),
  name: Name,
  labels: Labels.default({}),
  spec: RouteSpec,
});
export type RouteDocument = z.infer<typeof RouteDocument>;

export interface Route extends RouteDocument {
  createdAt: string;
  updatedAt: string;
}
