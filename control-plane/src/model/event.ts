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
