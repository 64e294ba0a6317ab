/**
 * Whether a snapshot holds together: every name that is led to is there, what nobody leads to is not, names are those within the
 * messages, and listeners are as they were (any other byte in them ends every session on them). Told, never thrown.
 */
import { messageOf } from '../model/errors.ts';
import { nameWithin, referencesOf, type References } from './references.ts';
import { setOf, type Difference, type Snapshot, type TypeUrl, type XdsResource } from './snapshot.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE, shortName } from './types.ts';

export interface SnapshotProblem {
  readonly type: TypeUrl;
  readonly name: string;
  readonly message: string;
  /** It does not hold together; otherwise it only does harm to sessions. */
  readonly breaks: boolean;
}

/** Types whose resources lead to others, or have a name within. */
const READ = [CLUSTER, LISTENER, ROUTE, ENDPOINT] as const;

/** Each lead: from a type to the names of another, and whether those that nobody leads to are wrong. */
const LEADS: readonly {
  readonly from: readonly TypeUrl[];
  readonly to: TypeUrl;
  readonly pick: (references: References) => readonly string[];
  readonly mayBeIdle: boolean;
}[] = [
  { from: [CLUSTER], to: ENDPOINT, pick: ({ endpoints }) => endpoints, mayBeIdle: false },
  { from: [LISTENER], to: ROUTE, pick: ({ routes }) => routes, mayBeIdle: false },
  { from: [ROUTE, LISTENER], to: CLUSTER, pick: ({ clusters }) => clusters, mayBeIdle: true },
];

/** Undefined: it stands under its own name. */
function misnamed(type: TypeUrl, key: string, resource: XdsResource): string | undefined {
  const within = nameWithin(type, resource);
  if (key === resource.name && (within === undefined || within === key)) return undefined;
  return `stands under the name ${key}, but is ${within ?? resource.name}`;
}

export function checkSnapshot(snapshot: Snapshot, before?: Snapshot): SnapshotProblem[] {
  const problems: SnapshotProblem[] = [];
  const found = (type: TypeUrl, name: string, message: string, breaks = true): void => {
    problems.push({ type, name, message, breaks });
  };
  const read = new Map<TypeUrl, { name: string; references: References }[]>();
  for (const type of READ) {
    const ofType: { name: string; references: References }[] = [];
    read.set(type, ofType);
    for (const [name, resource] of setOf(snapshot, type).resources) {
      try {
        const wrong = misnamed(type, name, resource);
        if (wrong !== undefined) found(type, name, wrong);
        ofType.push({ name, references: referencesOf(type, resource) });
      } catch (error) {
        found(type, name, `is no message of its type: ${messageOf(error)}`);
      }
    }
  }
  for (const { from, to, pick, mayBeIdle } of LEADS) {
    const led = new Set<string>();
    const { resources } = setOf(snapshot, to);
    for (const type of from)
      for (const { name, references } of read.get(type) ?? [])
        for (const target of pick(references)) {
          if (!resources.has(target) && !led.has(target))
            found(type, name, `leads to ${shortName(to)} ${target}, which is not there`);
          led.add(target);
        }
    if (!mayBeIdle) for (const name of resources.keys()) if (!led.has(name)) found(to, name, 'nothing leads to it');
  }
  for (const [name, { version }] of setOf(before, LISTENER).resources) {
    const now = setOf(snapshot, LISTENER).resources.get(name);
    if (now !== undefined && now.version !== version)
      found(LISTENER, name, 'is another than before: every session on it would end', false);
  }
  return problems;
}

export interface Checker {
  check(snapshot: Snapshot, before: Snapshot | undefined, difference: Difference): readonly SnapshotProblem[];
}

/** New content of endpoints that are there: nothing can lead astray. */
const isHealthAlone = (snapshot: Snapshot, before: Snapshot, difference: Difference): boolean =>
  [...difference].every(
    ([type, names]) =>
      type === ENDPOINT &&
      names.every((name) => setOf(before, type).resources.has(name) && setOf(snapshot, type).resources.has(name)),
  );

/**
 * The same of one snapshot after another. What follows on one that holds together is looked at only where it differs: at each resource that changed,
 * and at what it led to and leads to. Only if something is wrong with these is the whole looked at.
 */
export function createChecker(whole = checkSnapshot): Checker {
  /** By type: how many times each name is led to. Undefined: the last one did not hold together. */
  let led: Map<TypeUrl, Map<string, number>> | undefined;
  let last: readonly SnapshotProblem[] = [];

  function lead(
    type: TypeUrl,
    resource: XdsResource | undefined,
    by: 1 | -1,
    touched?: Map<TypeUrl, Set<string>>,
  ): void {
    if (resource === undefined) return;
    const references = referencesOf(type, resource);
    for (const { from, to, pick } of LEADS) {
      if (!from.includes(type)) continue;
      const counts = led?.get(to);
      for (const target of pick(references)) {
        counts?.set(target, (counts.get(target) ?? 0) + by);
        touched?.get(to)?.add(target);
      }
    }
  }

  function follows(snapshot: Snapshot, before: Snapshot, difference: Difference): boolean {
    const touched = new Map<TypeUrl, Set<string>>(LEADS.map(({ to }) => [to, new Set()]));
    for (const [type, names] of difference) {
      const [old, next] = [setOf(before, type).resources, setOf(snapshot, type).resources];
      for (const name of names) {
        const [was, is] = [old.get(name), next.get(name)];
        if (is !== undefined && READ.some((one) => one === type) && misnamed(type, name, is) !== undefined)
          return false;
        if (type === LISTENER && was !== undefined && is !== undefined) return false;
        lead(type, is, 1, touched);
        lead(type, was, -1, touched);
        touched.get(type)?.add(name);
      }
    }
    return LEADS.every(({ to, mayBeIdle }) => {
      const { resources } = setOf(snapshot, to);
      const counts = led?.get(to);
      return [...(touched.get(to) ?? [])].every((name) => {
        const isLed = (counts?.get(name) ?? 0) > 0;
        if (!isLed) counts?.delete(name);
        return resources.has(name) ? isLed || mayBeIdle : !isLed;
      });
    });
  }

  function begin(snapshot: Snapshot): void {
    led = new Map(LEADS.map(({ to }) => [to, new Map<string, number>()]));
    for (const type of READ) for (const one of setOf(snapshot, type).resources.values()) lead(type, one, 1);
  }

  return {
    check(snapshot, before, difference) {
      if (before !== undefined && isHealthAlone(snapshot, before, difference)) return last;
      try {
        if (led !== undefined && before !== undefined && follows(snapshot, before, difference)) return (last = []);
      } catch {
        // Some bytes are no message: the whole check says which.
      }
      led = undefined;
      last = whole(snapshot, before);
      if (!last.some(({ breaks }) => breaks)) begin(snapshot);
      return last;
    },
  };
}
