/** Single fields straight from a message's bytes, by number, without decoding the rest: for a look at thousands of messages. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Where the look is; its own, since a reader for each of thousands of small messages would be most of the cost. */
interface Cursor {
  readonly body: Uint8Array;
  at: number;
}

function truncated(): never {
  throw new RangeError('the message ends in the midst of a field');
}

/** The low 32 bits. */
function varint(cursor: Cursor, end: number): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (cursor.at >= end) truncated();
    const byte = cursor.body[cursor.at] ?? 0;
    cursor.at += 1;
    if (shift < 32) value |= (byte & 127) << shift;
    if (byte < 128) return value >>> 0;
  }
  throw new RangeError('a number has more than ten bytes');
}

/** Passes over a field's value. */
function skip(cursor: Cursor, end: number, wireType: number): void {
  if (wireType === VARINT) varint(cursor, end);
  else if (wireType === FIXED64) cursor.at += 8;
  else if (wireType === FIXED32) cursor.at += 4;
  else if (wireType === LENGTH_DELIMITED) {
    const length = varint(cursor, end);
    cursor.at += length;
  } else throw new RangeError(`a field has the unknown kind ${wireType}`);
  if (cursor.at > end) truncated();
}

function collect(cursor: Cursor, end: number, path: readonly number[], depth: number, found: Uint8Array[]): void {
  const field = path[depth];
  if (field === undefined) {
    found.push(cursor.body.subarray(cursor.at, end));
    cursor.at = end;
    return;
  }
  while (cursor.at < end) {
    const tag = varint(cursor, end);
    if (tag >>> 3 !== field || (tag & 7) !== LENGTH_DELIMITED) {
      skip(cursor, end, tag & 7);
      continue;
    }
    const length = varint(cursor, end);
    const inner = cursor.at + length;
    if (inner > end) truncated();
    collect(cursor, inner, path, depth + 1, found);
  }
}

/** All values at a path of field numbers; those on the way are messages, the last is a message, text or bytes. Throws on bytes that are no message. */
export function bytesAt(body: Uint8Array, path: readonly number[]): Uint8Array[] {
  const found: Uint8Array[] = [];
  collect({ body, at: 0 }, body.length, path, 0, found);
  return found;
}

export function textsAt(body: Uint8Array, path: readonly number[]): string[] {
  return bytesAt(body, path).map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
}

/** The value of an enum or unsigned number; 0 when it is not there. */
export function numberAt(body: Uint8Array, field: number): number {
  const cursor: Cursor = { body, at: 0 };
  let value = 0;
  while (cursor.at < body.length) {
    const tag = varint(cursor, body.length);
    if (tag >>> 3 === field && (tag & 7) === VARINT) value = varint(cursor, body.length);
    else skip(cursor, body.length, tag & 7);
  }
  return value;
}
