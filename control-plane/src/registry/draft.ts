/**
 * A command's work in progress: what it will write, what must still hold, what it will report. Commands are pure functions
 * from a view and input to a Draft; create.ts commits it, or, for a dry run, only reads it.
 */
import type { Event, NewEvent } from '../model/event.ts';
import type { Issue } from '../model/errors.ts';
import { SwitchboardError } from '../model/errors.ts';
import type { WriteChange, WriteOptions } from '../model/write.ts';
import type { Change, Expectation } from '../store/store.ts';
import { eventKey, put } from './keys.ts';

export interface Draft {
  readonly changes: Change[];
  readonly expect: Expectation[];
  readonly report: WriteChange[];
  readonly warnings: string[];
  readonly events: Event[];
}

export interface CommandContext {
  readonly now: () => number;
  /** Random lower-case letters and digits. */
  readonly randomId: (length: number) => string;
  readonly options: WriteOptions;
}

export function newDraft(): Draft {
  return { changes: [], expect: [], report: [], warnings: [], events: [] };
}

/** Writes an event into the same commit as the change that it tells of. */
export function addEvent(
  draft: Draft,
  context: CommandContext,
  event: NewEvent & { before?: unknown; after?: unknown },
): void {
  const at = context.now();
  const entry: Event = {
    kind: 'Event',
    id: `${at.toString(36).padStart(9, '0')}-${context.randomId(6)}`,
    at: new Date(at).toISOString(),
    actor: context.options.actor,
    ...(context.options.note === undefined ? {} : { note: context.options.note }),
    ...(context.options.requestId === undefined ? {} : { requestId: context.options.requestId }),
    ...event,
  };
  draft.events.push(entry);
  draft.changes.push(put(eventKey(entry.id), entry));
}

/** Compare-and-set for the one resource that the caller named a revision of. */
export function checkExpected(context: CommandContext, present: number, what: string): void {
  const expected = context.options.expectRevision;
  if (expected === undefined || expected === present || (expected === 'any' && present > 0)) return;
  const message =
    expected === 0
      ? `${what} exists already`
      : present === 0
        ? `${what} does not exist`
        : `${what} was changed meanwhile: it is at revision ${present}, not ${expected}`;
  throw new SwitchboardError('precondition_failed', message, {
    remedy: 'Read it again, and repeat the change on what is there now.',
  });
}

/** A person counts documents from 1; a path counts, as all paths do, from 0. */
const counted = (path: string): string =>
  path.replace(/^documents\.(\d+)\.?/, (_, index: string) => `document ${Number(index) + 1}, `).replace(/, $/, '');

export function refuse(what: string, issues: readonly Issue[]): never {
  throw new SwitchboardError(
    'invalid',
    `${what} is not valid: ${issues.map(({ path, message }) => `${counted(path)}: ${message}`).join('; ')}`,
    { issues },
  );
}
