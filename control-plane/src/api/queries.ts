/** What calls of the client are given beside names: filters, pages, how a write is done. Shared with CLI and console. */

export interface WriteFlags {
  dryRun?: boolean;
  wait?: boolean;
  timeout?: string;
  note?: string;
  /** If-Match; 0: it must not exist. */
  expectRevision?: number;
}

export interface ApplyFlags {
  set?: string;
  prune?: boolean;
  takeOver?: boolean;
}

export interface SessionQuery {
  service?: string;
  instance?: string;
  version?: number;
  client?: string;
  since?: string;
  text?: string;
  limit?: number;
  after?: string;
}

export interface EventQuery {
  subject?: string;
  kind?: string;
  service?: string;
  actor?: string;
  action?: string;
  /** A time, or how long ago. */
  since?: string;
  until?: string;
  text?: string;
  limit?: number;
}

/** What every list of resources understands. */
export interface ListFlags {
  limit?: number;
  /** The `next` of the page before. */
  cursor?: string;
  after?: string;
  /** key=value, key!=value, key, !key; with commas between. */
  labels?: string;
  /** With dots and commas: name,status.state. */
  fields?: string;
}

export type ListEvent =
  | { readonly event: 'item'; readonly data: object; readonly id: string }
  | { readonly event: 'gone'; readonly data: { readonly key: string }; readonly id: string }
  | { readonly event: 'synced'; readonly data: { readonly count: number }; readonly id: undefined };

/** Lists are written with commas: `by: 'service,version'`. */
export interface SeriesQuery {
  metric: string;
  stat?: string;
  by?: string;
  service?: string;
  version?: string;
  instance?: string;
  gateway?: string;
  cause?: string;
  limit?: number;
}
