/** An Instance is one running agent server, started by a runtime or registered from outside. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { DrainState } from './drain.ts';
import { Labels, Name, Timestamp, Condition } from './meta.ts';
import { plainLine } from './plain-text.ts';
import { Address } from './service.ts';

/**
 * pending -> starting -> ready -> draining -> stopping -> stopped (and is then removed);
 * a crash or a failed start leads to backoff, and from there to starting again or, in a crash loop, to failed;
 * unknown: an external instance of which nothing is known yet; one that does not answer is failed, and ready once it does.
 */
const INSTANCE_STATES = [
  'pending',
  'starting',
  'ready',
  'draining',
  'stopping',
  'stopped',
  'backoff',
  'failed',
  'unknown',
] as const;

/** A process is known by pid and start time together: pids are used again. */
export const ProcessIdentity = z.strictObject({ pid: z.int().min(1), startTime: z.string() });
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

export const Instance = z
  .strictObject({
    kind: z.literal('Instance'),
    id: Name.max(63),
    service: Name,
    version: z.int().min(0),
    runtime: z.string(),
    address: Address.optional(),
    /** The DNS name of its service's addresses that it was found by. Without an address: the name stands for none. */
    hostname: z.string().optional(),
    tags: Labels,
    zone: z.string().optional(),
    weight: z.int().min(1),
    state: z.enum(INSTANCE_STATES),
    /** Why it is in this state: one CamelCase word, and a sentence. */
    reason: z.string(),
    message: z.string(),
    since: Timestamp,
    /** Set: it is to be replaced by a new instance, and drained once that one is ready. */
    replace: z.strictObject({ reason: z.string(), at: Timestamp }).optional(),
    /** Set: no new sessions; it is stopped when none is open or the deadline is over, with `stopGrace` from SIGTERM to SIGKILL. */
    drain: DrainState.optional(),
    process: ProcessIdentity.optional(),
    startedAt: Timestamp.optional(),
    readyAt: Timestamp.optional(),
    restarts: z.int().min(0),
    /** Times of the last failures, oldest first, for backoff and crash-loop detection. */
    failures: z.array(Timestamp),
    retryAt: Timestamp.optional(),
    lastExit: z
      .strictObject({
        at: Timestamp,
        /** Where it listened: what the gateway tells of it late is still known to be its. */
        address: Address.optional(),
        code: z.int().nullable(),
        signal: z.string().nullable(),
        log: z.array(z.string()),
        /** Why, where more is known than code and signal: out of memory, too many processes, removed from outside. */
        cause: z.strictObject({ reason: z.string(), message: z.string() }).optional(),
      })
      .optional(),
    /** Self-registered: kept as long as this lease is renewed. */
    lease: z.strictObject({ name: z.string(), token: z.int(), ttlMs: z.int() }).optional(),
    conditions: z.array(Condition),
    createdAt: Timestamp,
  })
  .meta({ id: 'Instance' });
export type Instance = z.infer<typeof Instance>;

/** What an agent outside sends to register itself. */
export const Registration = z.strictObject({
  id: Name.max(63).optional(),
  service: Name,
  /** Where it listens: an IP address. Names stand in a service's `spec.addresses`. */
  address: Address.extend({
    host: z
      .string()
      .refine((host) => isIP(host) !== 0, "must be an IP address: DNS names stand in the service's spec.addresses"),
  }),
  tags: Labels.default({}),
  zone: plainLine(63).optional(),
  weight: z.int().min(1).max(1000).default(1),
  /** Seconds until a registration without heartbeat is drained and removed. */
  ttlSeconds: z.int().min(2).max(3600).default(15),
});
export type Registration = z.infer<typeof Registration>;
