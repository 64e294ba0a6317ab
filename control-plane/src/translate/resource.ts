/** Resources and sets of them, with the hash of their bytes as version: the same over restarts of the control plane. */
import { createHash } from 'node:crypto';
import { EncodeError, encode } from '@switchboard/proto';
import { messageOf } from '../model/errors.ts';
import type { TypeSet, XdsResource } from '../xds/snapshot.ts';

export function hash(...parts: readonly (string | Uint8Array)[]): string {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest('hex').slice(0, 16);
}

export function resource(type: string, name: string, json: object): XdsResource {
  const body = encode(type, json);
  return { name, version: hash(body), body };
}

/** Versions of resources are hashes of their bytes, in which their names stand: the sum of them all is one of the set, whatever its order. */
const hex = (sum: bigint): string => BigInt.asUintN(64, sum).toString(16).padStart(16, '0');
const number = (version: string): bigint => BigInt(`0x${version}`);

export function setOf(resources: readonly XdsResource[]): TypeSet {
  const version = hex(resources.reduce((sum, one) => sum + number(one.version), 0n));
  return { version, resources: new Map(resources.map((one) => [one.name, one])) };
}

/** `before` with some resources replaced or, where there is none, taken out; itself when that changes nothing. */
export function changedSet(before: TypeSet, changes: ReadonlyMap<string, XdsResource | undefined>): TypeSet {
  const names: string[] = [];
  let sum = number(before.version);
  let resources: Map<string, XdsResource> | undefined;
  for (const [name, next] of changes) {
    const old = before.resources.get(name);
    if (old?.version === next?.version) continue;
    resources ??= new Map(before.resources);
    sum += (next === undefined ? 0n : number(next.version)) - (old === undefined ? 0n : number(old.version));
    names.push(name);
    if (next === undefined) resources.delete(name);
    else resources.set(name, next);
  }
  if (resources === undefined) return before;
  return { version: hex(sum), resources, change: { since: before.version, names } };
}

export function whyNot(error: unknown): string {
  return error instanceof EncodeError ? `does not fit Envoy: ${error.message}` : messageOf(error);
}
