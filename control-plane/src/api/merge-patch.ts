/** JSON merge patch (RFC 7396): null deletes, objects merge, all else replaces. */
import { z } from 'zod';

const Part = z.record(z.string(), z.unknown());
/** Of a Service or a Route. What the patch makes of it is checked as a whole. */
export const DocumentPatch = z.strictObject({
  kind: z.string().optional(),
  name: z.string().optional(),
  labels: Part.optional(),
  spec: Part.optional(),
});

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  // A map: to assign `__proto__` on an object would not add a field.
  const result = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) result.delete(key);
    else result.set(key, mergePatch(result.get(key), value));
  }
  return Object.fromEntries(result);
}
