/**
 * The session table against the gateways' load reports. A report is a moment of the last second, while the table moves with every record:
 * so a report agrees if the table has had that count since the report before the last. What differs twice in a row is a real difference,
 * of records that were lost or are late, and is added to the table's count until the two agree again. Pure but for its memory.
 */

export interface CountCheck {
  /** The table now counts this many at the address. */
  counted(upstream: string, count: number): void;
  /**
   * Open requests by address, as the gateways report them; an address without any is left out. Returns the addresses with more than the table has.
   * `isNew`: the table is known to be incomplete, so that more than it has is believed at once.
   */
  reported(open: ReadonlyMap<string, number>, isNew?: boolean): string[];
  /** The table has dropped (-1) or taken up (1) a session that made the difference. */
  settled(upstream: string, step: 1 | -1): void;
  /** Nothing is reported any more: the table stands alone. */
  clear(): void;
  /** What to add to the table's count; 0 for most. */
  correction(upstream: string): number;
  /** Addresses with a correction. */
  corrections(): ReadonlyMap<string, number>;
}

interface Window {
  count: number;
  low: number;
  high: number;
  lowBefore: number;
  highBefore: number;
  /** By how much the last report differed. */
  off: number;
}

export function createCountCheck(): CountCheck {
  const windows = new Map<string, Window>();
  const corrections = new Map<string, number>();

  function windowOf(upstream: string): Window {
    let window = windows.get(upstream);
    if (window === undefined) {
      window = { count: 0, low: 0, high: 0, lowBefore: 0, highBefore: 0, off: 0 };
      windows.set(upstream, window);
    }
    return window;
  }

  function judge(upstream: string, window: Window, open: number, isNew: boolean): void {
    // What the table is yet to be told of comes on top of all that it counts meanwhile.
    const untold = isNew ? Math.max(0, corrections.get(upstream) ?? 0) : 0;
    const low = untold + Math.min(window.low, window.lowBefore);
    const high = untold + Math.max(window.high, window.highBefore);
    const off = open < low ? open - low : open > high ? open - high : 0;
    if (isNew && off > 0) corrections.set(upstream, untold + off);
    else if (off !== 0 && Math.sign(off) === Math.sign(window.off))
      corrections.set(upstream, isNew ? untold + off : open - window.count);
    else if (off === 0 && untold === 0) corrections.delete(upstream);
    window.off = off;
    window.lowBefore = window.low;
    window.highBefore = window.high;
    window.low = window.count;
    window.high = window.count;
    if (off === 0 && window.count === 0 && window.highBefore === 0) windows.delete(upstream);
  }

  return {
    counted(upstream, count) {
      const window = windowOf(upstream);
      window.count = count;
      window.low = Math.min(window.low, count);
      window.high = Math.max(window.high, count);
    },
    reported(open, isNew = false) {
      for (const upstream of open.keys()) windowOf(upstream);
      const more: string[] = [];
      for (const [upstream, window] of windows) {
        judge(upstream, window, open.get(upstream) ?? 0, isNew);
        if (window.off > 0) more.push(upstream);
      }
      return more;
    },
    settled(upstream, step) {
      const difference = corrections.get(upstream) ?? 0;
      if (Math.sign(difference) !== step) return;
      if (difference === step) corrections.delete(upstream);
      else corrections.set(upstream, difference - step);
    },
    clear() {
      corrections.clear();
      for (const window of windows.values()) window.off = 0;
    },
    correction: (upstream) => corrections.get(upstream) ?? 0,
    corrections: () => corrections,
  };
}
