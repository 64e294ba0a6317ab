/** Which known name may have been meant: the nearest by edits, if it is near enough. */

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function edits(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY;
  for (let i = 1; i <= a.length; i += 1) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY;
      rows[i]?.push(Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (same ? 0 : 1), swapped));
    }
  }
  return at(a.length, b.length);
}

/** Nothing longer is looked at: what is sent as a name may be of any length. */
const LONGEST = 64;
/** It is asked for on the way to an error: a large fleet must not make that slow. */
const LOOKED_AT = 1_000;

/** At most a third of the letters may differ. Undefined: none is near. */
export function similar(name: string, known: Iterable<string>): string | undefined {
  if (name.length > LONGEST) return undefined;
  let best: { name: string; edits: number } | undefined;
  let looked = 0;
  for (const one of known) {
    if ((looked += 1) > LOOKED_AT) break;
    const most = Math.min(best === undefined ? 3 : best.edits - 1, Math.floor(Math.max(name.length, one.length) / 3));
    if (one.length > LONGEST || Math.abs(one.length - name.length) > most) continue;
    const found = edits(name.toLowerCase(), one);
    if (found <= most) best = { name: one, edits: found };
  }
  return best?.name;
}

/** What an error offers to somebody who has mistyped a name: nothing when none is near. */
export function offer(name: string, known: Iterable<string>): { readonly remedy?: string } {
  const meant = similar(name, known);
  return meant === undefined ? {} : { remedy: `Did you mean ${meant}?` };
}
