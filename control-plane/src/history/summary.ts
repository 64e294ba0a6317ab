/** What is kept of one series in one slot: a summary that can be added to another, and its compact form. Pure. */
import { bucketOf } from './buckets.ts';
import type { Metric } from './metrics.ts';

/** All values are whole numbers of the metric's 1/scale. */
export interface Summary {
  /** How many values. */
  n: number;
  sum: number;
  max: number;
  /** Histograms only: bucket to count. */
  readonly buckets: Map<number, number> | undefined;
}

/** One metric in one slot, by series id. */
export type Slot = Map<number, Summary>;
export type Kind = Metric['kind'];

export function emptySummary(kind: Kind): Summary {
  return { n: 0, sum: 0, max: 0, buckets: kind === 'histogram' ? new Map<number, number>() : undefined };
}

export function note(summary: Summary, value: number): void {
  summary.n += 1;
  summary.sum += value;
  if (value > summary.max) summary.max = value;
  if (summary.buckets === undefined) return;
  const bucket = bucketOf(value);
  summary.buckets.set(bucket, (summary.buckets.get(bucket) ?? 0) + 1);
}

export function addTo(target: Summary, other: Summary): void {
  target.n += other.n;
  target.sum += other.sum;
  if (other.max > target.max) target.max = other.max;
  for (const [bucket, count] of other.buckets ?? [])
    target.buckets?.set(bucket, (target.buckets.get(bucket) ?? 0) + count);
}

export function mergeInto(target: Slot, other: Slot, kind: Kind): void {
  for (const [id, summary] of other) {
    let mine = target.get(id);
    if (mine === undefined) target.set(id, (mine = emptySummary(kind)));
    addTo(mine, summary);
  }
}

/** What is being encoded: thousands of slots of some kilobytes an hour, each copied out of here at its true length. */
let bytes = new Uint8Array(4_096);
let length = 0;

/** Whole numbers up to 2^53 in groups of seven bits, lowest first. */
function writeNumber(value: number): void {
  if (length + 8 > bytes.length) {
    const more = new Uint8Array(bytes.length * 2);
    more.set(bytes);
    bytes = more;
  }
  let rest = value;
  while (rest >= 0x80) {
    bytes[length++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[length++] = rest;
}

export function encodeSlot(slot: Slot, kind: Kind): Uint8Array {
  length = 0;
  for (const [id, { n, sum, max, buckets }] of slot) {
    writeNumber(id);
    writeNumber(sum);
    if (kind === 'counter') continue;
    writeNumber(max);
    if (kind === 'gauge') {
      writeNumber(n);
      continue;
    }
    writeNumber(buckets?.size ?? 0);
    for (const [bucket, count] of buckets ?? []) {
      writeNumber(bucket);
      writeNumber(count);
    }
  }
  return bytes.slice(0, length);
}

export function decodeSlot(data: Uint8Array, kind: Kind): Slot {
  const slot: Slot = new Map();
  let place = 0;
  const next = (): number => {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = data[place] ?? 0;
      place += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
  };
  while (place < data.length) {
    const id = next();
    const summary = emptySummary(kind);
    summary.sum = next();
    if (kind === 'counter') summary.n = summary.sum;
    else summary.max = next();
    if (kind === 'gauge') summary.n = next();
    if (summary.buckets !== undefined) {
      for (let left = next(); left > 0; left -= 1) {
        const bucket = next();
        const count = next();
        summary.buckets.set(bucket, count);
        summary.n += count;
      }
    }
    slot.set(id, summary);
  }
  return slot;
}
