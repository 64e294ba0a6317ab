/** Puts what is missing into answers, by patterns (older.ts). */
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The pattern's own value, with every list empty. */
function blank(pattern: unknown): unknown {
  if (Array.isArray(pattern)) return [];
  if (!isObject(pattern)) return pattern;
  return Object.fromEntries(Object.entries(pattern).map(([key, value]) => [key, blank(value)]));
}

/** Puts what is missing into an answer that nobody else holds, and gives it back. */
export function fillIn<T>(pattern: object, answer: T): T {
  if (Array.isArray(pattern)) {
    const [element] = pattern as unknown[];
    if (Array.isArray(answer) && isObject(element)) for (const one of answer) fillIn(element, one);
    return answer;
  }
  if (!isObject(answer)) return answer;
  const fields: Record<string, unknown> = answer;
  for (const [key, value] of Object.entries(pattern)) {
    if (fields[key] === undefined) fields[key] = blank(value);
    else if (typeof value === 'object' && value !== null) fillIn(value as object, fields[key]);
  }
  return answer;
}
