/** Single fields straight from a message's bytes, by number, without decoding the rest: for a look at thousands of messages. */
import protobuf from 'protobufjs';

const VARINT = 0;
const LENGTH_DELIMITED = 2;

function collect(body: Uint8Array, path: readonly number[], depth: number, found: Uint8Array[]): void {
  const field = path[depth];
  if (field === undefined) {
    found.push(body);
    return;
  }
  const reader = protobuf.Reader.create(body);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === field && (tag & 7) === LENGTH_DELIMITED) collect(reader.bytes(), path, depth + 1, found);
    else reader.skipType(tag & 7);
  }
}

/** All values at a path of field numbers; those on the way are messages, the last is a message, text or bytes. Throws on bytes that are no message. */
export function bytesAt(body: Uint8Array, path: readonly number[]): Uint8Array[] {
  const found: Uint8Array[] = [];
  collect(body, path, 0, found);
  return found;
}

export function textsAt(body: Uint8Array, path: readonly number[]): string[] {
  return bytesAt(body, path).map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
}

/** The value of an enum or unsigned number; 0 when it is not there. */
export function numberAt(body: Uint8Array, field: number): number {
  const reader = protobuf.Reader.create(body);
  let value = 0;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === field && (tag & 7) === VARINT) value = reader.uint32();
    else reader.skipType(tag & 7);
  }
  return value;
}
