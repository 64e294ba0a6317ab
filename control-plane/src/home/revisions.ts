/** What became of the newest revisions: when each was committed and published, and who acknowledged it. In memory, bounded. */
import type { RevisionTimeline } from '../model/system.ts';
import type { Commit } from '../store/store.ts';

const KEPT = 2000;

type GatewayEntry = RevisionTimeline['gateways'][number];

export interface RevisionLog {
  committed(commit: Commit): void;
  /** Everything up to this revision is in what the gateways are being told. */
  published(revision: number): void;
  find(revision: number): RevisionTimeline | undefined;
}

interface Entry {
  readonly revision: number;
  readonly committedAt: string;
  publishedAt: string | null;
  readonly changes: RevisionTimeline['changes'];
}

export function createRevisionLog(
  now: () => number,
  gatewaysOf: (revision: number) => readonly GatewayEntry[],
): RevisionLog {
  const entries = new Map<number, Entry>();
  let unpublished: Entry[] = [];
  return {
    committed({ revision, changes }) {
      const entry: Entry = {
        revision,
        committedAt: new Date(now()).toISOString(),
        publishedAt: null,
        changes: changes.filter(({ key }) => !/^event[/~]/.test(key)).map(({ op, key }) => ({ op, key })),
      };
      entries.set(revision, entry);
      unpublished.push(entry);
      for (const oldest of entries.keys()) {
        if (entries.size <= KEPT) break;
        entries.delete(oldest);
      }
    },
    published(revision) {
      const at = new Date(now()).toISOString();
      for (const entry of unpublished) if (entry.revision <= revision) entry.publishedAt = at;
      unpublished = unpublished.filter((entry) => entry.revision > revision);
    },
    find(revision) {
      const entry = entries.get(revision);
      return entry === undefined ? undefined : { ...entry, gateways: gatewaysOf(revision) };
    },
  };
}
