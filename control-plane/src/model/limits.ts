/** How many sessions may be, and how quickly new ones may come. */
import { z } from 'zod';
import { PositiveDuration } from './units.ts';

const Rate = z.strictObject({
  /** New sessions a second, on average. */
  perSecond: z.number().min(0.01).max(100_000),
  /** At once, after a quiet time. Default: two seconds' worth. */
  burst: z.int().min(1).max(1_000_000).optional(),
});

const Queue = z.strictObject({
  /** How many may wait; more are turned away at once. */
  size: z.int().min(1).max(100_000),
  timeout: PositiveDuration.default('10s'),
});

export const SessionLimits = z
  .strictObject({
    /** An instance with this many gets no new ones until some have ended. */
    sessionsPerInstance: z.int().min(0).max(1_000_000).optional(),
    /** New sessions for each instance that is ready: a storm of reconnects is let in at the pace that they can bear. More get 429. */
    newPerInstance: Rate.optional(),
    /** New sessions for each client address. More get 429. */
    newPerClient: Rate.optional(),
    /** Sessions of each client address at once, also counting those that wait. More get 429. Asks the control plane for each new session. */
    sessionsPerClient: z.int().min(1).max(1_000_000).optional(),
    /** Who finds all instances full waits for a place, instead of being refused. Asks the control plane for each new session. */
    queue: Queue.optional(),
  })
  .refine(({ queue, sessionsPerInstance }) => queue === undefined || sessionsPerInstance !== undefined, {
    path: ['queue'],
    error: 'needs sessionsPerInstance, which says when an instance is full',
  });
export type SessionLimits = z.infer<typeof SessionLimits>;
