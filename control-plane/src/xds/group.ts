/** The Envoys that are to have the same snapshot: what was published last, what was pushed, and the pace between them. */
import { createPacer, type Pacer, type PacerOptions, type PushKind } from './pacer.ts';
import { differenceOf, setOf, type Difference, type Snapshot, type TypeUrl, type XdsResource } from './snapshot.ts';
import { endpointsOf } from './references.ts';
import { CLUSTER, ENDPOINT } from './types.ts';

export interface Group {
  /** `check` sees what it would follow, and throws when it must not. */
  publish(snapshot: Snapshot, check?: (before: Snapshot | undefined, difference: Difference) => void): void;
  /** Somebody waits for this revision: if it was published and is held back, it goes now. */
  hurry(revision: number): void;
  /** What its Envoys are to have now; undefined: nothing was published yet, and they wait. */
  pushed(): Snapshot | undefined;
  published(): Snapshot | undefined;
  /** The revision that last changed a resource; undefined: it is as it was first published. */
  readonly changedBy: (type: TypeUrl, name: string) => number | undefined;
  /** The cluster of these endpoints that was there lately, and is not any more. */
  readonly lately: (endpoints: string) => XdsResource | undefined;
  close(): void;
}

/** Clusters that have gone are remembered, up to so many: an Envoy that was away may still have routes to them. */
const MOST_GONE = 1_000;

export type PushTo = (snapshot: Snapshot, difference: Difference, kind: PushKind, waitedMs: number) => void;

export function createGroup(pace: Omit<PacerOptions, 'push'>, push: PushTo): Group {
  const changes = new Map<TypeUrl, Map<string, number>>();
  const gone = new Map<string, XdsResource>();
  let latest: Snapshot | undefined;
  let pushed: Snapshot | undefined;
  const pacer: Pacer = createPacer({ ...pace, push: deliver });

  function deliver(kind: PushKind, waitedMs: number): void {
    if (latest === undefined) return;
    const next =
      kind === 'endpoints' && pacer.isGathering() && pushed !== undefined ? withEndpoints(pushed, latest) : latest;
    const difference = differenceOf(pushed, next);
    pushed = next;
    push(next, difference, kind, waitedMs);
  }

  /** The configuration as it was pushed, with the newest form of the endpoints in it. */
  function withEndpoints(config: Snapshot, newest: Snapshot): Snapshot {
    const fresh = setOf(newest, ENDPOINT);
    const resources = [...setOf(config, ENDPOINT).resources].map(
      ([name, old]) => [name, fresh.resources.get(name) ?? old] as const,
    );
    const set = { version: fresh.version, resources: new Map(resources) };
    return { revision: config.revision, types: new Map([...config.types, [ENDPOINT, set]]) };
  }

  function remember(difference: Difference, snapshot: Snapshot): void {
    const { revision } = snapshot;
    for (const [type, names] of difference) {
      const ofType = changes.get(type) ?? new Map<string, number>();
      changes.set(type, ofType);
      for (const name of names) ofType.set(name, revision);
    }
    for (const name of difference.get(CLUSTER) ?? []) {
      const [old, next] = [setOf(latest, CLUSTER).resources.get(name), setOf(snapshot, CLUSTER).resources.get(name)];
      if (next !== undefined) gone.delete(endpointsOf(next));
      else if (old !== undefined) gone.set(endpointsOf(old), old);
    }
    for (const name of gone.keys()) {
      if (gone.size <= MOST_GONE) break;
      gone.delete(name);
    }
  }

  return {
    publish(snapshot, check) {
      const difference = differenceOf(latest, snapshot);
      check?.(latest, difference);
      const isFirst = latest === undefined;
      remember(difference, snapshot);
      latest = snapshot;
      // A revision that changes nothing for these Envoys goes with what waits, or at once.
      if (difference.size === 0 && !isFirst && !pacer.isGathering()) deliver('endpoints', 0);
      else if (isFirst || difference.size > 1 || !difference.has(ENDPOINT)) pacer.changed('config');
      else pacer.changed('endpoints');
    },
    hurry(revision) {
      if (latest !== undefined && latest.revision >= revision && (pushed?.revision ?? 0) < revision) pacer.hurry();
    },
    pushed: () => pushed,
    published: () => latest,
    changedBy: (type, name) => changes.get(type)?.get(name),
    lately: (endpoints) => gone.get(endpoints),
    close() {
      pacer.close();
    },
  };
}
