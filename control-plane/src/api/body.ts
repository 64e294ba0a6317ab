/** Reading a request's body: bounded in size and depth, valid UTF-8, JSON or YAML, each fault with its place. */
import type { Context } from 'hono';
import { checkShape, listOf, parseDocuments, unreadable } from '../model/document-text.ts';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import { firstFault, placeAt } from './json-place.ts';

const LARGEST = 1024 * 1024;
/** A client that is still sending does not read the answer: so much of what is too much is taken and thrown away. */
const LARGEST_DISCARDED = 64 * LARGEST;
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
    throw unreadable('', 'is not valid UTF-8', cause);
  }
}

export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    // V8's message goes on with its own place or a piece of the text.
    const message = messageOf(cause).split(/, (?:"|\.{3})| in JSON at /)[0] ?? '';
    throw unreadable(placeAt(text, firstFault(text)?.offset ?? text.length), `is not valid JSON: ${message}`, cause);
  }
  const fault = firstFault(text);
  if (fault?.repeated !== undefined)
    throw unreadable(
      placeAt(text, fault.offset),
      `the member ${JSON.stringify(fault.repeated)} stands twice in one object`,
    );
  return checkShape(value);
}

export async function readJson(context: Context): Promise<unknown> {
  const text = await readText(context);
  return text.trim() === '' ? {} : parseJson(text);
}

/** JSON where the request says so, which is read many times faster; else YAML. */
export async function readDocuments(context: Context): Promise<unknown[]> {
  const text = await readText(context);
  const isJson = /^application\/json\b/i.test(context.req.header('content-type') ?? '');
  return isJson && text.trim() !== '' ? listOf(parseJson(text)) : parseDocuments(text);
}
