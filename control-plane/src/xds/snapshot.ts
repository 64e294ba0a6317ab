/**
 * A Snapshot is everything one group of Envoys is to have: opaque named resources of any type, each with its version.
 * This folder knows nothing of services: it takes resources and tells who has acknowledged which.
 */

/** `type.googleapis.com/envoy.config.cluster.v3.Cluster` and the like. */
export type TypeUrl = string;

export interface XdsResource {
  readonly name: string;
  /** Hash of `body`, so that it is stable over restarts of the control plane. */
  readonly version: string;
  /** The encoded message, the `value` of the Any. */
  readonly body: Uint8Array;
}

export interface TypeSet {
  /** Hash over the names and versions of all resources. */
  readonly version: string;
  readonly resources: ReadonlyMap<string, XdsResource>;
}

export interface Snapshot {
  /** The store revision that it shows; carried through to the ACK. */
  readonly revision: number;
  readonly types: ReadonlyMap<TypeUrl, TypeSet>;
}
