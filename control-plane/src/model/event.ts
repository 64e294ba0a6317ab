import { z } from 'zod';
import { Timestamp } from './meta.ts';
import type { EventAction } from './reasons.ts';

/** The place in the chain of events. */
export const ChainLink = z
  .strictObject({
    number: z.int().min(0).describe('1, 2, 3, ... over the life of the store.'),
    hash: z.string().describe('SHA-256 in hex over the hash before, the number and the event.'),
  })
  .meta({ id: 'ChainLink' });
export type ChainLink = Readonly<z.infer<typeof ChainLink>>;

/** An Event tells who changed what and why: written in the same commit as the change itself. */
export const Event = z
  .strictObject({
    kind: z.literal('Event'),
    id: z.string().describe('Unique, sorts by time.'),
    at: Timestamp,
    actor: z.string().describe('`admin`, `controller`, or whoever a token names.'),
    action: z.string().describe('What was done, such as `service.update`, `instance.ready`.'),
    subject: z.strictObject({ kind: z.string(), name: z.string(), service: z.string().exactOptional() }),
    message: z.string().describe('A sentence for people.'),
    note: z.string().exactOptional().describe('What whoever asked for it gave as the reason.'),
    requestId: z.string().exactOptional(),
    revision: z.int().min(0).exactOptional().describe('Of the commit that made the change.'),
    before: z.unknown().exactOptional(),
    after: z.unknown().exactOptional(),
    chain: ChainLink.exactOptional().describe('Absent on events from before there was a chain.'),
  })
  .meta({ id: 'Event' });
export type Event = z.infer<typeof Event>;

/** What is told by whoever writes one. */
export type NewEvent = Pick<Event, 'subject' | 'message'> & { action: EventAction };

/** Whether the stored events are those that were written: the answer of /v1/events/verify. */
export const AuditReport = z.strictObject({
  ok: z.boolean(),
  checked: z.int().min(0).describe('Events whose hashes were looked at.'),
  unsealed: z.int().min(0).describe('Events from before there was a chain.'),
  head: ChainLink.describe('Of the newest event. Kept elsewhere it shows later whether the whole chain was made anew.'),
  floor: ChainLink.describe('Of the last event that retention has deleted; number 0: none.'),
  problems: z
    .array(z.strictObject({ event: z.string().nullable(), message: z.string() }))
    .readonly()
    .describe('The first of them; `event` null: no single one.'),
  problemCount: z.int().min(0),
});
export type AuditReport = Readonly<z.infer<typeof AuditReport>>;

/** All that are given must fit. */
export interface EventFilter {
  /** `Kind/name`, or a name; an instance's events are its service's too. */
  readonly subject?: string;
  readonly kind?: string;
  readonly service?: string;
  readonly actor?: string;
  /** `instance.ready`, or `instance` for all of them. */
  readonly action?: string;
  /** ISO times: since <= at < until. */
  readonly since?: string;
  readonly until?: string;
  readonly text?: string;
  /** Ids: only what came after this one, or before that one. */
  readonly after?: string;
  readonly before?: string;
  /** The newest so many. */
  readonly limit: number;
}
