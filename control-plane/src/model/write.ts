/** What a write asks for and what it answers: the same shape for API, CLI and console. */

export interface WriteOptions {
  actor: string;
  requestId?: string;
  /** Compute everything, change nothing. */
  dryRun?: boolean;
  /** Compare-and-set: the revision of the one resource that is written. 0: it must not exist. */
  expectRevision?: number;
  note?: string;
  /** Of an apply. */
  set?: ApplySet;
}

/** Resources that are applied from one source: they remember its name, and what is no longer in it can be deleted. */
export interface ApplySet {
  name: string;
  /** Delete what is in the set and not among the documents. */
  prune: boolean;
  /** Also take resources that are in another set; without it they are a conflict. */
  takeOver: boolean;
}

export type WriteAction = 'created' | 'updated' | 'unchanged' | 'deleted';

export interface WriteChange {
  kind: 'Service' | 'Route' | 'Instance' | 'Rollout' | 'Version';
  name: string;
  action: WriteAction;
  /** Dotted paths of what differs, with the old and the new value (undefined: absent). */
  diff: readonly { path: string; before?: unknown; after?: unknown }[];
}

/** What the write will do to open sessions; all zero for most. */
export interface Impact {
  /** Sessions that end at once. */
  endsNow: number;
  /** Sessions on instances that will be drained: they end only if still open at the deadline. */
  drains: number;
  instances: readonly { id: string; service: string; sessions: number; reason: string; deadline?: string }[];
}

export interface WriteResult {
  /** The revision that holds the change; the present one where nothing changed or for a dry run. */
  revision: number;
  dryRun: boolean;
  changes: readonly WriteChange[];
  impact: Impact;
  warnings: readonly string[];
}
