/**
 * Whether a snapshot holds together: every name that is led to is there, what nobody leads to is not, names are those within the
 * messages, and listeners are as they were (any other byte in them ends every session on them). Told, never thrown.
 */
import { messageOf } from '../model/errors.ts';
import { nameWithin, referencesOf, type References } from './references.ts';
import { setOf, type Snapshot, type TypeUrl } from './snapshot.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE, shortName } from './types.ts';

export interface SnapshotProblem {
  readonly type: TypeUrl;
  readonly name: string;
  readonly message: string;
  /** It does not hold together; otherwise it only does harm to sessions. */
  readonly breaks: boolean;
}

interface Led {
  readonly from: TypeUrl;
  readonly name: string;
  readonly references: References;
}

export function checkSnapshot(snapshot: Snapshot, before?: Snapshot): SnapshotProblem[] {
  const problems: SnapshotProblem[] = [];
  const found = (type: TypeUrl, name: string, message: string, breaks = true): void => {
    problems.push({ type, name, message, breaks });
  };

  function read(type: TypeUrl): Led[] {
    return [...setOf(snapshot, type).resources].flatMap(([key, resource]): Led[] => {
      try {
        const within = nameWithin(type, resource);
        if (key !== resource.name || (within !== undefined && within !== key))
          found(type, key, `stands under the name ${key}, but is ${within ?? resource.name}`);
        return [{ from: type, name: key, references: referencesOf(type, resource) }];
      } catch (error) {
        found(type, key, `is no message of its type: ${messageOf(error)}`);
        return [];
      }
    });
  }

  const [clusters, listeners, routes] = [read(CLUSTER), read(LISTENER), read(ROUTE)];
  read(ENDPOINT);

  function lead(from: readonly Led[], to: TypeUrl, pick: (references: References) => readonly string[]): Set<string> {
    const led = new Set<string>();
    const { resources } = setOf(snapshot, to);
    for (const { from: type, name, references } of from)
      for (const target of pick(references)) {
        if (!resources.has(target) && !led.has(target))
          found(type, name, `leads to ${shortName(to)} ${target}, which is not there`);
        led.add(target);
      }
    return led;
  }

  const usedEndpoints = lead(clusters, ENDPOINT, ({ endpoints }) => endpoints);
  const usedRoutes = lead(listeners, ROUTE, ({ routes: names }) => names);
  lead([...routes, ...listeners], CLUSTER, ({ clusters: names }) => names);
  for (const [type, used] of [
    [ENDPOINT, usedEndpoints],
    [ROUTE, usedRoutes],
  ] as const)
    for (const name of setOf(snapshot, type).resources.keys())
      if (!used.has(name)) found(type, name, 'nothing leads to it');

  for (const [name, { version }] of setOf(before, LISTENER).resources) {
    const now = setOf(snapshot, LISTENER).resources.get(name);
    if (now !== undefined && now.version !== version)
      found(LISTENER, name, 'is another than before: every session on it would end', false);
  }
  return problems;
}
