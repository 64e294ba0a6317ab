/** A snapshot as JSON: `{versions: {<typeUrl>: v}, resources: {<typeUrl>: {<name>: {version, resource}}}}`, resources as proto3 JSON. */
import { createHash } from 'node:crypto';
import { encode } from '@switchboard/proto';
import { SwitchboardError, messageOf } from '../../control-plane/src/model/errors.ts';
import type { Snapshot, TypeSet, XdsResource } from '../../control-plane/src/xds/snapshot.ts';

interface ResourceDocument {
  readonly version?: string | undefined;
  /** Fields of the message, with or without "@type"; of a type that is not known, base64 text. */
  readonly resource?: unknown;
  /** Seconds. */
  readonly ttl?: number | undefined;
}

export interface SnapshotDocument {
  readonly versions: Readonly<Record<string, string>>;
  readonly resources: Readonly<Record<string, Readonly<Record<string, ResourceDocument>>>>;
}

interface Changes {
  readonly versions: Readonly<Record<string, string | null>>;
  readonly resources: Readonly<Record<string, Readonly<Record<string, ResourceDocument | null>> | null>>;
}

/** `null` deletes; what is not named stays. */
function merged<T>(
  before: Readonly<Record<string, T>>,
  changes: Readonly<Record<string, T | null>>,
): Record<string, T> {
  const kept = new Map(Object.entries(before));
  for (const [name, value] of Object.entries(changes))
    if (value === null) kept.delete(name);
    else kept.set(name, value);
  return Object.fromEntries(kept);
}

export function mergeDocument(before: SnapshotDocument | undefined, changes: Changes): SnapshotDocument {
  const resources = merged(
    before?.resources ?? {},
    Object.fromEntries(
      Object.entries(changes.resources).map(([type, of]) => [
        type,
        of === null ? null : merged(before?.resources[type] ?? {}, of),
      ]),
    ),
  );
  return { versions: merged(before?.versions ?? {}, changes.versions), resources };
}

const hash = (...parts: readonly (string | Uint8Array)[]): string => {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest('hex').slice(0, 16);
};

function bodyOf(type: string, name: string, json: unknown): Uint8Array {
  if (typeof json === 'string') return Buffer.from(json, 'base64');
  if (typeof json !== 'object' || json === null)
    throw new SwitchboardError('invalid', `${type} ${name}: resource has to be an object, or base64 text`);
  const fields = Object.fromEntries(Object.entries(json).filter(([key]) => key !== '@type'));
  try {
    return encode(type.slice(type.lastIndexOf('/') + 1), fields);
  } catch (error) {
    throw new SwitchboardError('invalid', `${type} ${name}: ${messageOf(error)}`, { cause: error });
  }
}

function setOf(type: string, version: string | undefined, of: Readonly<Record<string, ResourceDocument>>): TypeSet {
  const resources = Object.entries(of).map(([name, { version: own, resource, ttl }]): [string, XdsResource] => {
    const body = bodyOf(type, name, resource);
    return [name, { name, body, version: own ?? hash(body), ...(ttl === undefined ? {} : { ttlMs: ttl * 1000 }) }];
  });
  const content = hash(...resources.flatMap(([name, one]) => [name, '\0', one.version, '\0']));
  return { version: version ?? content, resources: new Map(resources) };
}

export function snapshotOf({ versions, resources }: SnapshotDocument, revision: number): Snapshot {
  const types = new Set([...Object.keys(versions), ...Object.keys(resources)]);
  return {
    revision,
    types: new Map([...types].map((type) => [type, setOf(type, versions[type], resources[type] ?? {})])),
  };
}
