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
  requestId?: string;
  before?: unknown;
  after?: unknown;
}
