/**
 * Lists made from a state that changes each second, which stay the same object as long as they say the same: whoever shows them is drawn anew only then.
 * Each function keeps its last answer.
 */
function same<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}

export function namesOf(read: () => readonly string[]): () => readonly string[] {
  let before: readonly string[] = [];
  return () => {
    const after = read();
    if (!same(before, after)) before = after;
    return before;
  };
}

export function grouped<T>(
  read: () => readonly T[],
  keyOf: (one: T) => string,
): () => ReadonlyMap<string, readonly T[]> {
  let before: ReadonlyMap<string, readonly T[]> = new Map();
  return () => {
    const after = new Map<string, readonly T[]>();
    for (const [key, items] of Map.groupBy(read(), keyOf)) {
      const was = before.get(key);
      after.set(key, was !== undefined && same(was, items) ? was : items);
    }
    before = after;
    return after;
  };
}
