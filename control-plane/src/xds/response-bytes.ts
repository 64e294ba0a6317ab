/**
 * Responses as bytes: DiscoveryResponse and DeltaDiscoveryResponse of envoy.service.discovery.v3. Written here, since a response may hold thousands of
 * resources whose bodies are encoded already: each is copied once. The resources of a whole set are joined once for all streams that get it.
 */
import type { Send } from './events.ts';
import { isWhole, type TypeUrl, type XdsResource } from './snapshot.ts';

type Variant = 'sotw' | 'delta';

const WRAPPER = 'type.googleapis.com/envoy.service.discovery.v3.Resource';

/** Field numbers: https://github.com/envoyproxy/envoy/blob/main/api/envoy/service/discovery/v3/discovery.proto */
const VERSION_INFO = 1;
const RESOURCES = 2;
const TYPE_URL = 4;
const NONCE = 5;
const REMOVED = 6;
const ANY = { url: 1, value: 2 };
const RESOURCE = { version: 1, resource: 2, name: 3, ttl: 6 };
const DURATION = { seconds: 1, nanos: 2 };

const sizeOfVarint = (value: number): number =>
  value < 2 ** 7 ? 1 : value < 2 ** 14 ? 2 : value < 2 ** 21 ? 3 : value < 2 ** 28 ? 4 : 5;
/** A length-delimited field; all numbers of fields here are below 16, so that their tags are one byte. */
const sizeOfField = (length: number): number => 1 + sizeOfVarint(length) + length;
const sizeOfText = (text: string): number => (text === '' ? 0 : sizeOfField(Buffer.byteLength(text)));

/** What grpc-js asks of the bytes of a message before it puts them into a frame of its own: so they are written there, and nowhere before. */
export interface Encoded {
  readonly byteLength: number;
  copy(target: Buffer, at?: number): number;
}

/** Writes fields one behind the other. */
class Writer {
  private readonly bytes: Buffer;
  private at: number;

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.bytes[this.at] = (rest & 127) | 128;
      this.at += 1;
      rest >>>= 7;
    }
    this.bytes[this.at] = rest;
    this.at += 1;
  }

  /** What follows is the value, of that length. */
  head(field: number, length: number): void {
    this.bytes[this.at] = (field << 3) | 2;
    this.at += 1;
    this.varint(length);
  }

  number(field: number, value: number): void {
    if (value === 0) return;
    this.bytes[this.at] = field << 3;
    this.at += 1;
    this.varint(value);
  }

  raw(value: Uint8Array): void {
    this.bytes.set(value, this.at);
    this.at += value.length;
  }

  text(field: number, value: string): void {
    if (value === '') return;
    this.head(field, Buffer.byteLength(value));
    this.at += this.bytes.write(value, this.at);
  }
}

const sizeOfAny = (urlLength: number, { body }: XdsResource): number =>
  sizeOfField(urlLength) + (body.length === 0 ? 0 : sizeOfField(body.length));

function writeAny(writer: Writer, type: TypeUrl, { body }: XdsResource): void {
  writer.text(ANY.url, type);
  if (body.length === 0) return;
  writer.head(ANY.value, body.length);
  writer.raw(body);
}

const durationOf = (ms: number): { seconds: number; nanos: number } => ({
  seconds: Math.floor(ms / 1000),
  nanos: (ms % 1000) * 1e6,
});

function sizeOfDuration(ms: number): number {
  const { seconds, nanos } = durationOf(ms);
  return (seconds === 0 ? 0 : 1 + sizeOfVarint(seconds)) + (nanos === 0 ? 0 : 1 + sizeOfVarint(nanos));
}

/** envoy.service.discovery.v3.Resource; a heartbeat has no body. */
function sizeOfWrapped(urlLength: number, resource: XdsResource, isHeartbeat: boolean): number {
  const { name, version, ttlMs } = resource;
  return (
    sizeOfText(version) +
    (isHeartbeat ? 0 : sizeOfField(sizeOfAny(urlLength, resource))) +
    sizeOfText(name) +
    (ttlMs === undefined ? 0 : sizeOfField(sizeOfDuration(ttlMs)))
  );
}

function writeWrapped(
  writer: Writer,
  type: TypeUrl,
  urlLength: number,
  resource: XdsResource,
  isHeartbeat: boolean,
): void {
  const { name, version, ttlMs } = resource;
  writer.text(RESOURCE.version, version);
  if (!isHeartbeat) {
    writer.head(RESOURCE.resource, sizeOfAny(urlLength, resource));
    writeAny(writer, type, resource);
  }
  writer.text(RESOURCE.name, name);
  if (ttlMs === undefined) return;
  const { seconds, nanos } = durationOf(ttlMs);
  writer.head(RESOURCE.ttl, sizeOfDuration(ttlMs));
  writer.number(DURATION.seconds, seconds);
  writer.number(DURATION.nanos, nanos);
}

/** The repeated field of the resources: how long it is, and how it is written. */
function field(
  variant: Variant,
  { type, resources, heartbeat = false }: Send,
): { size: number; write(to: Writer): void } {
  const url = Buffer.byteLength(type);
  // State of the world: a lifetime has a place only in the wrapper: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#xds-protocol-ttl
  const wrapperUrl = Buffer.byteLength(WRAPPER);
  const isBare = (one: XdsResource): boolean => variant === 'sotw' && one.ttlMs === undefined;
  const sizeOf = (one: XdsResource): number => {
    if (isBare(one)) return sizeOfAny(url, one);
    const wrapped = sizeOfWrapped(url, one, heartbeat);
    return variant === 'delta' ? wrapped : sizeOfField(wrapperUrl) + sizeOfField(wrapped);
  };
  let size = 0;
  for (const one of resources) size += sizeOfField(sizeOf(one));
  return {
    size,
    write(to) {
      for (const one of resources) {
        to.head(RESOURCES, sizeOf(one));
        if (isBare(one)) writeAny(to, type, one);
        else {
          if (variant === 'sotw') {
            to.text(ANY.url, WRAPPER);
            to.head(ANY.value, sizeOfWrapped(url, one, heartbeat));
          }
          writeWrapped(to, type, url, one, heartbeat);
        }
      }
    },
  };
}

/** By the list of a whole set's resources, which is the same for all streams. */
const shared: Record<Variant, WeakMap<readonly XdsResource[], Buffer>> = { sotw: new WeakMap(), delta: new WeakMap() };

function fieldOf(variant: Variant, send: Send): ReturnType<typeof field> {
  const { resources, heartbeat } = send;
  if (heartbeat === true || !isWhole(resources)) return field(variant, send);
  let bytes = shared[variant].get(resources);
  if (bytes === undefined) {
    const whole = field(variant, send);
    bytes = Buffer.allocUnsafe(whole.size);
    whole.write(new Writer(bytes));
    shared[variant].set(resources, bytes);
  }
  const joined = bytes;
  return {
    size: joined.length,
    write(to) {
      to.raw(joined);
    },
  };
}

export function responseBytes(variant: Variant, send: Send): Encoded {
  const { type, nonce, version, removed } = send;
  const resources = fieldOf(variant, send);
  let size = sizeOfText(version) + resources.size + sizeOfText(type) + sizeOfText(nonce);
  // An empty name has a place in a list.
  if (variant === 'delta') for (const name of removed) size += sizeOfField(Buffer.byteLength(name));
  return {
    byteLength: size,
    copy(target, at) {
      const writer = new Writer(target, at);
      writer.text(VERSION_INFO, version);
      resources.write(writer);
      writer.text(TYPE_URL, type);
      writer.text(NONCE, nonce);
      if (variant === 'delta')
        for (const name of removed) {
          if (name === '') writer.head(REMOVED, 0);
          else writer.text(REMOVED, name);
        }
      return size;
    },
  };
}
