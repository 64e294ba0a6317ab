/** What an event may show of values that have changed: how agents are launched stays out, since people put secrets there. */
const HIDDEN = '(not shown)';

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueAt(path: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (path.includes('.env.') || path.endsWith('.launch') || path.includes('.launch.env')) return HIDDEN;
  // A whole specification: that of something new, or deleted.
  return path === 'spec' && isObject(value) && value['launch'] !== undefined ? { ...value, launch: HIDDEN } : value;
}

export function shown(
  diff: readonly { path: string; before?: unknown; after?: unknown }[],
  side: 'before' | 'after',
): Record<string, unknown> {
  return Object.fromEntries(diff.map((one) => [one.path, valueAt(one.path, one[side])]));
}
