/**
 * The live state as JSON texts of its parts, each with the round in which it last changed. From them comes the whole state, or what has changed since a
 * round that a watcher has seen: of hundreds of instances a few change in a second.
 */
import type { LiveChanges, LiveState } from './types.ts';

interface Part {
  readonly text: string;
  readonly round: number;
}

type List = keyof LiveChanges['gone'];
const LISTS: { readonly [L in List]: (one: LiveState[L][number]) => string } = {
  services: (one) => one.name,
  instances: (one) => one.id,
  gateways: (one) => one.node,
};
const NAMES = Object.keys(LISTS) as List[];
/** A watcher that is so many rounds behind gets the whole state. */
const REMEMBERED = 100;

export interface LiveParts {
  /** Of the newest state; 0: there is none. */
  readonly round: number;
  /** The last round in which anything changed. */
  readonly changedAt: number;
  take(state: LiveState): void;
  /** A LiveState. */
  whole(): string;
  /** LiveChanges; undefined: it is too long ago. */
  since(round: number): string | undefined;
}

export function createLiveParts(): LiveParts {
  let round = 0;
  let changedAt = 0;
  let revision = 0;
  let status = new Map<string, Part>();
  const lists = new Map<List, Map<string, Part>>(NAMES.map((name) => [name, new Map()]));
  let whole: { readonly round: number; readonly text: string } | undefined;
  /** By name or id: the round in which it went. */
  const gone = new Map<List, Map<string, number>>(NAMES.map((name) => [name, new Map()]));

  /** In the order of `entries`, which is the order in which they are told. */
  function renewed(
    before: ReadonlyMap<string, Part>,
    entries: readonly (readonly [string, unknown])[],
  ): Map<string, Part> {
    return new Map(
      entries.map(([key, value]) => {
        const text = JSON.stringify(value);
        const was = before.get(key);
        if (was?.text === text) return [key, was];
        changedAt = round;
        return [key, { text, round }];
      }),
    );
  }

  function takeList<L extends List>(name: L, items: LiveState[L]): void {
    const keyOf = LISTS[name];
    const before = lists.get(name) ?? new Map<string, Part>();
    const after = renewed(
      before,
      items.map((one) => [keyOf(one), one] as const),
    );
    lists.set(name, after);
    const went = gone.get(name);
    for (const key of before.keys()) {
      if (after.has(key)) continue;
      changedAt = round;
      went?.set(key, round);
    }
    for (const [key, at] of went ?? []) if (after.has(key) || at <= round - REMEMBERED) went?.delete(key);
  }

  function textOf(since: number): string {
    const newer = ([, part]: readonly [string, Part]): boolean => part.round > since;
    const fields = [...status].filter(newer).map(([key, { text }]) => `${JSON.stringify(key)}:${text}`);
    const parts = NAMES.map(
      (name) =>
        `"${name}":[${[...(lists.get(name) ?? [])]
          .filter(newer)
          .map(([, { text }]) => text)
          .join(',')}]`,
    );
    return `"revision":${revision},"status":{${fields.join(',')}},${parts.join(',')}`;
  }

  return {
    get round() {
      return round;
    },
    get changedAt() {
      return changedAt;
    },
    take(state) {
      round += 1;
      if (state.revision !== revision) changedAt = round;
      revision = state.revision;
      status = renewed(status, Object.entries(state.status));
      takeList('services', state.services);
      takeList('instances', state.instances);
      takeList('gateways', state.gateways);
    },
    whole() {
      // Made once for all who want it.
      if (whole?.round !== changedAt) whole = { round: changedAt, text: `{${textOf(0)}}` };
      return whole.text;
    },
    since(seen) {
      if (seen <= round - REMEMBERED) return undefined;
      const went = Object.fromEntries(
        NAMES.map((name) => [name, [...(gone.get(name) ?? [])].filter(([, at]) => at > seen).map(([key]) => key)]),
      );
      return `{${textOf(seen)},"gone":${JSON.stringify(went)}}`;
    },
  };
}
