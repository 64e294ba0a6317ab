/** Reading a request's body: bounded, valid UTF-8, JSON or YAML, each fault with its place. */
import type { Context } from 'hono';
import { LineCounter, parseAllDocuments } from 'yaml';
import { SwitchboardError, messageOf } from '../model/errors.ts';

const LARGEST = 1024 * 1024;

export async function readText(context: Context): Promise<string> {
  const tooLarge = (): SwitchboardError =>
    new SwitchboardError('too_large', `the body is larger than ${LARGEST} bytes`, {
      remedy: 'Send fewer documents at a time.',
    });
  if (Number(context.req.header('content-length') ?? 0) > LARGEST) throw tooLarge();
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (context.req.raw.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > LARGEST) throw tooLarge();
    parts.push(part);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts));
  } catch (cause) {
    throw new SwitchboardError('invalid', 'the body is not valid UTF-8', {
      issues: [{ path: '', message: 'is not valid UTF-8' }],
      cause,
    });
  }
}

export async function readJson(context: Context): Promise<unknown> {
  const text = await readText(context);
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new SwitchboardError('invalid', `the body is not valid JSON: ${messageOf(cause)}`, {
      issues: [{ path: '', message: messageOf(cause) }],
      cause,
    });
  }
}

/** YAML, which JSON is too: one or several documents; an object with a `documents` list stands for those. */
export function parseDocuments(text: string): unknown[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true });
  const found: unknown[] = [];
  for (const document of documents) {
    const [error] = document.errors;
    if (error !== undefined) {
      const place = lines.linePos(error.pos[0]);
      const message = error.message.split('\n')[0] ?? '';
      throw new SwitchboardError('invalid', `line ${place.line}, column ${place.col}: ${message}`, {
        issues: [{ path: `line ${place.line}, column ${place.col}`, message }],
      });
    }
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    if (value === null) continue;
    const list: unknown =
      typeof value === 'object' && 'documents' in value && !('kind' in value) ? value.documents : undefined;
    if (Array.isArray(list)) found.push(...(list as unknown[]));
    else if (Array.isArray(value)) found.push(...(value as unknown[]));
    else found.push(value);
  }
  return found;
}
