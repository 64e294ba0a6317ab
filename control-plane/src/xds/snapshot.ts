/**
 * A Snapshot is everything one group of Envoys is to have: opaque named resources of any type, each with its version.
 * This folder knows nothing of services: it takes resources and tells who has acknowledged which.
 */

/** `type.googleapis.com/envoy.config.cluster.v3.Cluster` and the like. */
export type TypeUrl = string;

export interface XdsResource {
  readonly name: string;
  /** Hash of `body`, so that it is stable over restarts of the control plane and the same on each of several. */
  readonly version: string;
  /** The encoded message, the `value` of the Any. */
  readonly body: Uint8Array;
  /** Milliseconds after which the client drops it unless it is told again that it lives. */
  readonly ttlMs?: number;
}

export interface TypeSet {
  /** Changes whenever a resource comes, goes or changes. */
  readonly version: string;
  readonly resources: ReadonlyMap<string, XdsResource>;
  /** The names in which it differs from the set of version `since` that it was made from: the two need not be compared whole. */
  readonly change?: { readonly since: string; readonly names: readonly string[] };
}

export interface Snapshot {
  /** The store revision that it shows; carried through to the ACK. */
  readonly revision: number;
  readonly types: ReadonlyMap<TypeUrl, TypeSet>;
}

const EMPTY: TypeSet = { version: '', resources: new Map() };

export function setOf(snapshot: Snapshot | undefined, type: TypeUrl): TypeSet {
  return snapshot?.types.get(type) ?? EMPTY;
}

const wholes = new WeakMap<TypeSet['resources'], readonly XdsResource[]>();
const isOne = new WeakSet<readonly XdsResource[]>();

/** All resources of a set as one list, the same for everyone who asks. */
export function wholeOf({ resources }: TypeSet): readonly XdsResource[] {
  let list = wholes.get(resources);
  if (list === undefined) {
    list = [...resources.values()];
    wholes.set(resources, list);
    isOne.add(list);
  }
  return list;
}

/** Whether a list is one of `wholeOf`. */
export const isWhole = (list: readonly XdsResource[]): boolean => isOne.has(list);

/** By type: names that came, went or have another version. Types without a difference are left out. */
export type Difference = ReadonlyMap<TypeUrl, readonly string[]>;

export function differenceOf(before: Snapshot | undefined, after: Snapshot): Difference {
  const difference = new Map<TypeUrl, readonly string[]>();
  for (const type of new Set([...(before?.types.keys() ?? []), ...after.types.keys()])) {
    const [old, next] = [setOf(before, type), setOf(after, type)];
    if (old === next) continue;
    if (next.change?.since === old.version) {
      if (next.change.names.length > 0) difference.set(type, next.change.names);
      continue;
    }
    const names: string[] = [];
    for (const [name, { version }] of next.resources)
      if (old.resources.get(name)?.version !== version) names.push(name);
    for (const name of old.resources.keys()) if (!next.resources.has(name)) names.push(name);
    if (names.length > 0) difference.set(type, names);
  }
  return difference;
}
