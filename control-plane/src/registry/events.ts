/** The newest events in memory, fed by commits. The store keeps them too; older ones are pruned in the commits that follow. */
import type { Event } from '../model/event.ts';
import type { Commit, StoredRecord } from '../store/store.ts';

const KEPT = 5000;
/** Pruning in batches keeps most commits small. */
const PRUNE_BATCH = 100;
const PREFIX = 'event/';

export interface EventLog {
  add(commit: Commit): void;
  /** Keys of events past the limit, to be deleted by the next commit. */
  prune(): string[];
  /** Newest first. `subject` is `Kind/name` or a name; `after` an event id. */
  list(filter: { subject?: string; after?: string; limit: number }): Event[];
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

export function createEventLog(records: readonly StoredRecord[]): EventLog {
  const events = records
    .filter((record) => record.key.startsWith(PREFIX))
    .map((record) => record.value as unknown as Event);
  const listeners = new Set<(event: Event) => void>();
  return {
    add(commit) {
      for (const change of commit.changes) {
        if (change.op !== 'put' || !change.key.startsWith(PREFIX)) continue;
        const event = change.value as unknown as Event;
        events.push(event);
        for (const listener of listeners) listener(event);
      }
    },
    prune() {
      if (events.length < KEPT + PRUNE_BATCH) return [];
      return events.splice(0, PRUNE_BATCH).map((event) => PREFIX + event.id);
    },
    list({ subject, after, limit }) {
      const found: Event[] = [];
      for (let index = events.length - 1; index >= 0 && found.length < limit; index -= 1) {
        const event = events[index];
        if (event === undefined || event.id === after) break;
        if (subject === undefined || concerns(event, subject)) found.push(event);
      }
      return found;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
