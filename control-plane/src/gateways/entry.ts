/** One resource in one of the two views. */
import { EncodeError, canonical, decode, encode } from '@switchboard/proto';
import type { ResourceType } from './resource-types.ts';

export interface Entry {
  readonly name: string;
  readonly version: string;
  /** Readable, secrets and all: redact before showing. */
  readonly resource: unknown;
  /** Encoded, to compare; undefined: it has fields that our definitions lack. */
  readonly bytes: Uint8Array | undefined;
}

/** From JSON as Envoy prints it: by way of the message, so that both views have one form. */
export function entryOf(type: ResourceType, name: string, version: string, json: unknown): Entry {
  try {
    // Envoy tells the type of a resource that stands in an Any; the message itself has no such field.
    const plain = Object.fromEntries(Object.entries(json as object).filter(([field]) => field !== '@type'));
    const bytes = canonical(type.message, encode(type.message, plain));
    return { name, version, bytes, resource: decode(type.message, bytes) };
  } catch (error) {
    if (!(error instanceof EncodeError)) throw error;
    return { name, version, bytes: undefined, resource: json };
  }
}
