/**
 * What the other side has of each name. A stream that is in step has all of a snapshot's set: that is kept as the set itself, which all streams share,
 * with what differs from it beside; so a stream costs little, however much it was sent.
 */
import type { XdsResource } from './snapshot.ts';

/** What the other side has of a name. The body is missing when it had it before this stream. */
export interface Known {
  readonly version: string;
  readonly resource?: XdsResource;
  /** It refused a response with others in it, and may have taken this one: `version` is what it had for certain. */
  readonly isUncertain?: boolean;
}

/** It asked, and was told that there is none. */
export const ABSENT: Known = { version: '' };

const NOTHING: ReadonlyMap<string, XdsResource> = new Map();
/** So many differences are borne before the set is taken anew. */
const MOST_OWN = 64;

const had = new WeakMap<XdsResource, Known>();

function knownOf(resource: XdsResource): Known {
  let known = had.get(resource);
  if (known === undefined) {
    known = { version: resource.version, resource };
    had.set(resource, known);
  }
  return known;
}

export class KnownNames {
  private base = NOTHING;
  /** Undefined: nothing is known, whatever the base has. */
  private readonly own = new Map<string, Known | undefined>();

  get(name: string): Known | undefined {
    const own = this.own.get(name);
    if (own !== undefined || this.own.has(name)) return own;
    const resource = this.base.get(name);
    return resource === undefined ? undefined : knownOf(resource);
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  set(name: string, known: Known): void {
    this.own.set(name, known);
  }

  delete(name: string): void {
    if (this.base.has(name)) this.own.set(name, undefined);
    else this.own.delete(name);
  }

  isEmpty(): boolean {
    return this.base.size === 0 && this.own.size === 0;
  }

  /** Safe while names are deleted. */
  *[Symbol.iterator](): Iterator<readonly [string, Known]> {
    for (const [name, known] of [...this.own]) if (known !== undefined) yield [name, known];
    for (const [name, resource] of this.base) if (!this.own.has(name)) yield [name, knownOf(resource)];
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this) yield name;
  }

  /** It is worth it to call `hasAll` as soon as that is true. */
  differsMuch(): boolean {
    return this.own.size > MOST_OWN;
  }

  /** The other side has all of these just so, and of other names what it had. */
  hasAll(resources: ReadonlyMap<string, XdsResource>): void {
    for (const [name, resource] of this.base)
      if (!resources.has(name) && !this.own.has(name)) this.own.set(name, knownOf(resource));
    this.base = resources;
    for (const [name, known] of this.own) if (known === undefined || resources.has(name)) this.own.delete(name);
  }
}
