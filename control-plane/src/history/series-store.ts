/**
 * The SeriesStore port: where finished slots lie. It knows rings and bytes, not what they mean. Calls are synchronous and short: they come
 * once in ten seconds, in one batch.
 */

export interface StoredSlot {
  /** Index into LEVELS. */
  readonly level: number;
  readonly metric: string;
  /** Start of the slot, milliseconds since the epoch. */
  readonly at: number;
  readonly data: Uint8Array;
}

export interface StoredSeries {
  readonly id: number;
  /** The labels as JSON. */
  readonly labels: string;
  /** When it last had a value, to the hour. */
  readonly seenAt: number;
}

export interface Batch {
  readonly slots: readonly StoredSlot[];
  /** New, or seen again. */
  readonly series: readonly StoredSeries[];
  /** Ids that nothing refers to any more. */
  readonly forget: readonly number[];
}

export interface SeriesStore {
  /** All or nothing. A slot takes the place of what its ring held there: an older slot, or the same one. */
  write(batch: Batch): void;
  /** Slots of one metric with from <= at < to, oldest first. */
  read(level: number, metric: string, from: number, to: number): { at: number; data: Uint8Array }[];
  /** Every series that is known. */
  series(): StoredSeries[];
  close(): void;
}
