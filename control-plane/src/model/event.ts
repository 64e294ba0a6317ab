import type { EventAction } from './reasons.ts';

/** An Event tells who changed what and why: written in the same commit as the change itself. */
export interface Event {
  kind: 'Event';
  /** Unique, sorts by time. */
  id: string;
  at: string;
  /** `admin`, `controller`, or whoever a token names. */
  actor: string;
  /** What was done, such as `service.update`, `instance.ready`. */
  action: string;
  subject: { kind: string; name: string; service?: string };
  /** A sentence for people. */
  message: string;
  /** What whoever asked for it gave as the reason. */
  note?: string;
  requestId?: string;
  /** Of the commit that made the change. */
  revision?: number;
  before?: unknown;
  after?: unknown;
  /** Absent on events from before there was a chain. */
  chain?: ChainLink;
}

/** What is told by whoever writes one. */
export type NewEvent = Pick<Event, 'subject' | 'message'> & { action: EventAction };

/** The place in the chain of events. */
export interface ChainLink {
  /** 1, 2, 3, ... over the life of the store. */
  readonly number: number;
  /** SHA-256 in hex over the hash before, the number and the event. */
  readonly hash: string;
}

/** Whether the stored events are those that were written: the answer of /v1/events/verify. */
export interface AuditReport {
  readonly ok: boolean;
  /** Events whose hashes were looked at. */
  readonly checked: number;
  /** Events from before there was a chain. */
  readonly unsealed: number;
  /** Of the newest event. Kept elsewhere it shows later whether the whole chain was made anew. */
  readonly head: ChainLink;
  /** Of the last event that retention has deleted; number 0: none. */
  readonly floor: ChainLink;
  /** The first of them; `event` null: no single one. */
  readonly problems: readonly { readonly event: string | null; readonly message: string }[];
  readonly problemCount: number;
}

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
