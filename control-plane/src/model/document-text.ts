/** Resources as text: bounded in depth, each fault with its place. The API reads bodies so, the CLI files. */
import { LineCounter, parseAllDocuments } from 'yaml';
import { SwitchboardError, messageOf } from './errors.ts';

/** No document needs more, and what walks a deeper one could run out of stack. */
const DEEPEST = 100;
const TOO_DEEP = `is nested deeper than ${DEEPEST} levels`;

/** `path`: a place in the text, or empty for all of it. */
export function unreadable(path: string, message: string, cause?: unknown): SwitchboardError {
  return new SwitchboardError('invalid', `${path === '' ? 'the text' : `${path}:`} ${message}`, {
    issues: [{ path, message }],
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Error: `invalid` for a value that is too deep, holds itself, or has a member `__proto__`, which schemas pass over in silence. */
export function checkShape(value: unknown): unknown {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) throw unreadable('', TOO_DEEP);
    level = level.flatMap((one) => {
      if (typeof one !== 'object' || one === null) return [];
      if (Object.hasOwn(one, '__proto__')) throw unreadable('', 'has a member __proto__, which names no field');
      return Object.values(one) as unknown[];
    });
  }
  return value;
}

/** One document, a list of them, or an object with a `documents` list. */
export function listOf(value: unknown): unknown[] {
  if (value === null || value === undefined) return [];
  const list: unknown =
    typeof value === 'object' && 'documents' in value && !('kind' in value) ? value.documents : undefined;
  if (Array.isArray(list)) return list as unknown[];
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

/** YAML, which JSON is too: one or several documents. Error: invalid, with line and column. */
export function parseDocuments(text: string): unknown[] {
  // The parser goes on for seconds after it has run out of stack.
  if (/[[{](?:\s*[[{]){100}/.test(text)) throw unreadable('', TOO_DEEP);
  const lines = new LineCounter();
  const found: unknown[] = [];
  // Merge keys (`<<: *base`) are YAML 1.1's, and what people bring from their Compose files.
  for (const document of parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, merge: true })) {
    const [error] = document.errors;
    if (error !== undefined) {
      if (error.message.startsWith('Maximum call stack')) throw unreadable('', TOO_DEEP, error);
      const place = lines.linePos(error.pos[0]);
      const message = error.message.replace(/ at line \d+, column \d+:[^]*$/, '');
      throw unreadable(`line ${place.line}, column ${place.col}`, message);
    }
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch (cause) {
      // An alias without its anchor, so many of them that they would fill the memory, or a merge of what is no mapping.
      throw unreadable('', `is not valid YAML: ${messageOf(cause)}`, cause);
    }
    found.push(...listOf(checkShape(value)));
  }
  return found;
}
