/** The newest events in memory, fed by commits. The store keeps them too; older ones are pruned in the commits that follow. */
import type { Event, EventFilter } from '../model/event.ts';
import type { Commit, StoredRecord } from '../store/store.ts';
import { EVENT_PREFIX } from './keys.ts';

export interface EventRetention {
  /** At most so many, the newest. */
  readonly most: number;
  /** At most so old. */
  readonly keepMs: number;
}

export const DEFAULT_RETENTION: EventRetention = { most: 5_000, keepMs: 90 * 86_400_000 };

/** Pruning in batches keeps most commits small. */
const PRUNE_BATCH = 100;

export interface EventLog {
  add(commit: Commit): void;
  /** What the store has, in place of all that is known; events that are new are told. */
  reset(records: readonly StoredRecord[]): void;
  /** Events past the limits, to be deleted by the next commit; they are here until it is told. */
  old(now: number): Event[];
  /** Newest first. */
  list(filter: EventFilter): Event[];
  subscribe(listener: (event: Event) => void): () => void;
}

function concerns(event: Event, subject: string): boolean {
  const { kind, name, service } = event.subject;
  return (
    subject === name ||
    subject === service ||
    subject === `${kind}/${name}` ||
    (service !== undefined && subject === `Service/${service}`)
  );
}

function matcher(filter: EventFilter): (event: Event) => boolean {
  const { subject, kind, service, actor, action, since, until } = filter;
  const text = filter.text?.toLowerCase();
  return (event) =>
    (subject === undefined || concerns(event, subject)) &&
    (kind === undefined || event.subject.kind === kind) &&
    (service === undefined || concerns(event, `Service/${service}`)) &&
    (actor === undefined || event.actor === actor) &&
    (action === undefined || event.action === action || event.action.startsWith(`${action}.`)) &&
    (since === undefined || event.at >= since) &&
    (until === undefined || event.at < until) &&
    (text === undefined ||
      [event.id, event.message, event.action, event.actor, event.note ?? '', event.requestId ?? ''].some((one) =>
        one.toLowerCase().includes(text),
      ));
}

const eventOf = (value: unknown, revision: number): Event => ({ ...(value as Event), revision });

/** As they were written: ids of one millisecond are in no order. */
function inOrder(records: readonly StoredRecord[]): Event[] {
  return records
    .filter((record) => record.key.startsWith(EVENT_PREFIX))
    .map((record) => eventOf(record.value, record.created))
    .sort((a, b) => (a.chain?.number ?? 0) - (b.chain?.number ?? 0));
}

export function createEventLog(
  records: readonly StoredRecord[],
  retention: EventRetention = DEFAULT_RETENTION,
): EventLog {
  let events = inOrder(records);
  const listeners = new Set<(event: Event) => void>();

  /** Where the event with this id is, or would be if it were still kept: ids sort by time. */
  function placeOf(id: string): number {
    const found = events.findLastIndex((event) => event.id === id);
    if (found >= 0) return found;
    const later = events.findIndex((event) => event.id > id);
    return later < 0 ? events.length : later;
  }

  function firstAfter(id: string): number {
    const place = placeOf(id);
    return events[place]?.id === id ? place + 1 : place;
  }

  return {
    add(commit) {
      const gone = new Set<string>();
      for (const change of commit.changes) {
        if (!change.key.startsWith(EVENT_PREFIX)) continue;
        if (change.op === 'delete') {
          gone.add(change.key.slice(EVENT_PREFIX.length));
          continue;
        }
        const event = eventOf(change.value, commit.revision);
        events.push(event);
        for (const listener of listeners) listener(event);
      }
      if (gone.size > 0) events = events.filter(({ id }) => !gone.has(id));
    },
    reset(stored) {
      const known = new Set(events.map(({ id }) => id));
      events = inOrder(stored);
      for (const event of events) if (!known.has(event.id)) for (const listener of listeners) listener(event);
    },
    old(now) {
      const limit = new Date(now - retention.keepMs).toISOString();
      let old = events.length >= retention.most + PRUNE_BATCH ? PRUNE_BATCH : 0;
      while (old < PRUNE_BATCH && (events[old]?.at ?? limit) < limit) old += 1;
      return events.slice(0, old);
    },
    list(filter) {
      const matches = matcher(filter);
      const first = filter.after === undefined ? 0 : firstAfter(filter.after);
      const end = filter.before === undefined ? events.length : placeOf(filter.before);
      const found: Event[] = [];
      for (let index = end - 1; index >= first && found.length < filter.limit; index -= 1) {
        const event = events[index];
        if (event !== undefined && matches(event)) found.push(event);
      }
      return found;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
