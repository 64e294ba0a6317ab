/** A measured figure beside its reference or goal. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** Median. */
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** The same of what it is compared with; null: there is none. */
  readonly reference: number | null;
  readonly ratio: number | null;
  readonly goal: string;
  readonly ok: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
}

/** One round each of ours and of the reference gives a ratio; the median of the ratios is what counts: the machine's noise is in both. */
export function compared(
  name: string,
  unit: string,
  ours: readonly number[],
  reference: readonly number[],
  most: number,
): Figure {
  const ratios = ours.map((value, index) => value / (reference[index] ?? NaN));
  const ratio = median(ratios);
  return {
    name,
    unit,
    value: median(ours),
    min: Math.min(...ours),
    max: Math.max(...ours),
    reference: median(reference),
    ratio,
    goal: `ratio <= ${most}`,
    ok: ratio <= most,
  };
}

export function bounded(name: string, unit: string, value: number, all: readonly number[], most: number): Figure {
  return {
    name,
    unit,
    value,
    min: Math.min(...all),
    max: Math.max(...all),
    reference: null,
    ratio: null,
    goal: `<= ${most}`,
    ok: value <= most,
  };
}
