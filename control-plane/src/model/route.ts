/** A Route leads clients to a service. Every service has `/agents/<name>` without one. */
import { z } from 'zod';
import { Cidr } from './cidr.ts';
import { Regex, exactlyOne, operatorFields } from './condition.ts';
import { Labels, Name, stored } from './meta.ts';

const PathText = z
  .string()
  .max(1024)
  .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without white space (others percent-encoded)')
  .regex(/^[^?#]*$/, 'must not contain ? or #');
const Path = PathText.startsWith('/', 'must start with /');
const HeaderName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[\w!#$%&'*+.^`|~-]+$/, "must be a token of letters, digits and !#$%&'*+.^`|~-");

const caseSensitive = z.boolean().default(true);
/**
 * One of these; none: every path. `prefix: /a` matches /a and /a/b, not /ab; `regex` must match the whole path as it was sent. A request whose path
 * would match in another spelling (`//a`, `/%61`, `/x/../a`) is refused (path-spelling.ts).
 */
export const PathMatch = z.union([
  z.strictObject({ exact: Path, caseSensitive }),
  z.strictObject({ prefix: Path, caseSensitive }),
  z.strictObject({ suffix: PathText.min(1), caseSensitive }),
  z.strictObject({ contains: PathText.min(1), caseSensitive }),
  z.strictObject({ regex: Regex, caseSensitive }),
]);
export type PathMatch = z.infer<typeof PathMatch>;

const NamedCondition = z.strictObject({ name: HeaderName, ...operatorFields }).superRefine(exactlyOne);
export type NamedCondition = z.infer<typeof NamedCondition>;

const Cidrs = z.array(Cidr).min(1).max(100);

export const Match = z.strictObject({
  host: z
    .string()
    .max(253)
    .regex(/^[A-Za-z0-9.-]+$/, 'must be a host name')
    .optional(),
  path: PathMatch.optional(),
  headers: z.array(NamedCondition).max(16).default([]),
  /** Values as they stand in the URL. Of a parameter that stands several times the first counts. */
  query: z.array(NamedCondition).max(16).default([]),
  cookies: z.array(NamedCondition).max(16).default([]),
  /** The client offers one of these. */
  subprotocols: z.array(HeaderName).min(1).max(16).optional(),
  /** The client's address: where the connection comes from or, behind a proxy that the settings trust, what that tells. */
  clientIp: z.union([z.strictObject({ in: Cidrs }), z.strictObject({ notIn: Cidrs })]).optional(),
});
export type Match = z.infer<typeof Match>;

/** What keeps a client on its side of a split: the same value, the same side. Absent: by chance, each time anew. */
const Sticky = z.union([
  z.strictObject({ query: HeaderName }),
  z.strictObject({ header: HeaderName }),
  z.strictObject({ cookie: HeaderName }),
  z.strictObject({ clientIp: z.literal(true) }),
]);
export type Sticky = z.infer<typeof Sticky>;

export const Target = z.union([
  z.strictObject({ service: Name }),
  /** Instances that have all these tags: of one service, or of all. */
  z.strictObject({
    tags: Labels.refine((tags) => Object.keys(tags).length > 0, 'needs a tag'),
    service: Name.optional(),
  }),
  z.strictObject({
    split: z
      .array(z.strictObject({ service: Name, weight: z.int().min(0).max(10_000) }))
      .min(1)
      .max(20)
      .refine((parts) => parts.some(({ weight }) => weight > 0), 'needs a weight above 0')
      .refine((parts) => new Set(parts.map(({ service }) => service)).size === parts.length, 'names a service twice'),
    sticky: Sticky.optional(),
  }),
]);
export type Target = z.infer<typeof Target>;

export const RouteSpec = z
  .strictObject({
    match: Match.prefault({}),
    target: Target,
    /** Replaces the matched path or prefix. Absent: the path goes through as it is. */
    rewrite: Path.optional(),
    /** Higher first; then the more specific match; then by name. */
    priority: z.int().min(-1000).max(1000).default(0),
    enabled: z.boolean().default(true),
  })
  .meta({ id: 'RouteSpec' });
export type RouteSpec = z.infer<typeof RouteSpec>;

/** The services that a target names. */
export function servicesOf(target: Target): string[] {
  if ('split' in target) return target.split.map(({ service }) => service);
  return target.service === undefined ? [] : [target.service];
}

export const RouteDocument = z.strictObject({
  kind: z.literal('Route'),
  name: Name,
  labels: Labels.default({}),
  spec: RouteSpec,
});
export type RouteDocument = z.infer<typeof RouteDocument>;

/** As stored. */
export const Route = RouteDocument.extend(stored);
export type Route = z.infer<typeof Route>;
