/** Reading a request's body: bounded in size and depth, valid UTF-8, JSON or YAML, each fault with its place. */
import type { Context } from 'hono';
import { LineCounter, parseAllDocuments } from 'yaml';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import { firstWrong, placeAt } from './json-place.ts';

const LARGEST = 1024 * 1024;
/** A client that is still sending does not read the answer: so much of what is too much is taken and thrown away. */
const LARGEST_DISCARDED = 64 * LARGEST;
/** No document needs more, and what walks a deeper one could run out of stack. */
const DEEPEST = 100;
const TOO_DEEP = `is nested deeper than ${DEEPEST} levels`;

function invalid(path: string, message: string, cause?: unknown): SwitchboardError {
  return new SwitchboardError('invalid', `${path === '' ? 'the text' : `${path}:`} ${message}`, {
    issues: [{ path, message }],
    ...(cause === undefined ? {} : { cause }),
  });
}

export async function readText(context: Context): Promise<string> {
  const tooLarge = (): SwitchboardError =>
    new SwitchboardError('too_large', `the body is larger than ${LARGEST} bytes`, {
      remedy: 'Send fewer documents at a time.',
    });
  if (Number(context.req.header('content-length') ?? 0) > LARGEST_DISCARDED) throw tooLarge();
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (context.req.raw.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > LARGEST_DISCARDED) break;
    if (size <= LARGEST) parts.push(part);
    else parts.length = 0;
  }
  if (size > LARGEST) throw tooLarge();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
  } catch (cause) {
    throw invalid('', 'is not valid UTF-8', cause);
  }
}

export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // V8's message goes on with its own place or a piece of the text.
    const message = messageOf(cause).split(/, (?:"|\.{3})| in JSON at /)[0] ?? '';
    throw invalid(placeAt(text, firstWrong(text)), `is not valid JSON: ${message}`, cause);
  }
  return checkDepth(value);
}

export async function readJson(context: Context): Promise<unknown> {
  const text = await readText(context);
  return text.trim() === '' ? {} : parseJson(text);
}

function checkDepth(value: unknown): unknown {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) throw invalid('', TOO_DEEP);
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? (Object.values(one) as unknown[]) : []));
  }
  return value;
}

/** One document, a list of them, or an object with a `documents` list. */
function listOf(value: unknown): unknown[] {
  if (value === null || value === undefined) return [];
  const list: unknown =
    typeof value === 'object' && 'documents' in value && !('kind' in value) ? value.documents : undefined;
  if (Array.isArray(list)) return list as unknown[];
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

/** YAML, which JSON is too: one or several documents. Error: invalid, with line and column. */
export function parseDocuments(text: string): unknown[] {
  // The parser goes on for seconds after it has run out of stack.
  if (/[[{](?:\s*[[{]){100}/.test(text)) throw invalid('', TOO_DEEP);
  const lines = new LineCounter();
  const found: unknown[] = [];
  for (const document of parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true })) {
    const [error] = document.errors;
    if (error !== undefined) {
      if (error.message.startsWith('Maximum call stack')) throw invalid('', TOO_DEEP, error);
      const place = lines.linePos(error.pos[0]);
      const message = error.message.replace(/ at line \d+, column \d+:[^]*$/, '');
      throw invalid(`line ${place.line}, column ${place.col}`, message);
    }
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch (cause) {
      // An alias without its anchor, or so many of them that they would fill the memory.
      throw invalid('', `is not valid YAML: ${messageOf(cause)}`, cause);
    }
    found.push(...listOf(checkDepth(value)));
  }
  return found;
}

/** JSON where the request says so, which is read many times faster; else YAML. */
export async function readDocuments(context: Context): Promise<unknown[]> {
  const text = await readText(context);
  const isJson = /^application\/json\b/i.test(context.req.header('content-type') ?? '');
  return isJson && text.trim() !== '' ? listOf(parseJson(text)) : parseDocuments(text);
}
