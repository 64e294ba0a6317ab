/**
 * The route table as Envoy reads it. A short one is a list. In a long one each request would be held against every route, so it becomes a
 * tree by path: under each literal path stand the routes that can match there, in the same order. The first that matches is the same. What a change
 * of a few routes does not touch is kept from the tree before, encoded.
 */
import { encode, encodeWith, mapEntry, part, partOf } from '@switchboard/proto';
import type { PathMatch } from '../model/route.ts';
import { VIRTUAL_HOST } from './route.ts';

const HOST = 'envoy.config.route.v3.VirtualHost';
const LIST = 'envoy.config.route.v3.RouteList';
const MATCHER = 'xds.type.matcher.v3.Matcher';
const ON_MATCH = `${MATCHER}.OnMatch`;
const MATCHER_LIST = `${MATCHER}.MatcherList`;
const FIELD_MATCHER = `${MATCHER_LIST}.FieldMatcher`;
const PREDICATE = `${MATCHER_LIST}.Predicate`;
const TREE = `${MATCHER}.MatcherTree`;
const MAP = `${TREE}.MatchMap`;
const EXTENSION = 'xds.core.v3.TypedExtensionConfig';
const ANY = 'google.protobuf.Any';

/** Up to here a list is as quick. */
const LONGEST_LIST = 200;
/** So many routes that came and went are put into the tree that is there; after more it is made anew. */
const MOST_CHANGED = 16;
/** A tree repeats the routes without a literal path at each of its paths: with this many times the routes it is not worth it. */
const MOST_REPEATED = 8;

export interface TableEntry {
  /** Its literal path, if it stands at one. */
  readonly at: string | undefined;
  /** Routes of Envoy, encoded. */
  readonly bytes: readonly Uint8Array[];
}

/** The path at which a route stands in the tree; undefined: anywhere. */
export function literal(path: PathMatch | undefined): string | undefined {
  if (path?.caseSensitive !== true) return undefined;
  if ('exact' in path) return path.exact;
  if (!('prefix' in path)) return undefined;
  const base = path.prefix.replace(/\/+$/, '');
  return base === '' ? undefined : base;
}

function action(entries: readonly TableEntry[]): Uint8Array {
  const list = encodeWith(
    LIST,
    {},
    'routes',
    entries.flatMap(({ bytes }) => bytes),
  );
  const any = Buffer.concat([part(ANY, 'type_url', `type.googleapis.com/${LIST}`), part(ANY, 'value', list)]);
  const config = Buffer.concat([part(EXTENSION, 'name', 'routes'), part(EXTENSION, 'typed_config', any)]);
  return part(ON_MATCH, 'action', config);
}

const INPUT = {
  name: 'path',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput',
    header_name: ':path',
  },
};

/** Of a tree each place would have to repeat what comes before all others: it stands above the tree instead. */
export interface FirstRoute {
  readonly regex: string;
  readonly route: Uint8Array;
}

function afterAll(first: readonly FirstRoute[], rest: readonly Uint8Array[]): Uint8Array[] {
  const matchers = first.map(({ regex, route }) =>
    Buffer.concat([
      part(
        FIELD_MATCHER,
        'predicate',
        // The input is the path with its query.
        encode(PREDICATE, {
          single_predicate: {
            input: INPUT,
            value_match: { safe_regex: { google_re2: {}, regex: `(?:${regex})(?:\\?.*)?` } },
          },
        }),
      ),
      part(FIELD_MATCHER, 'on_match', action([{ at: undefined, bytes: [route] }])),
    ]),
  );
  const list = matchers.map((one) => part(MATCHER_LIST, 'matchers', one));
  return [
    part(MATCHER, 'matcher_list', Buffer.concat(list)),
    ...partOf(MATCHER, 'on_no_match', partOf(ON_MATCH, 'matcher', rest)),
  ];
}

interface Place {
  readonly path: string;
  /** What can match there. */
  readonly entries: readonly TableEntry[];
  /** The map's entry, encoded. */
  readonly bytes: Uint8Array;
}

interface Tree {
  readonly entries: readonly TableEntry[];
  /** By path. */
  readonly places: readonly Place[];
  readonly anywhere: readonly TableEntry[];
}

const isBelow = (path: string, above: string): boolean =>
  path.startsWith(above) && (path.length === above.length || path.charAt(above.length) === '/');

/** The table's own order, which is that in which Envoy would try them. */
const matchingAt = (path: string, entries: readonly TableEntry[]): TableEntry[] =>
  entries.filter(({ at }) => at === undefined || isBelow(path, at));

function placeAt(path: string, entries: readonly TableEntry[]): Place {
  return { path, entries, bytes: mapEntry(MAP, 'map', path, action(entries)) };
}

/** Undefined: a list is better. */
function grow(entries: readonly TableEntry[]): Tree | undefined {
  const anywhere = entries.filter(({ at }) => at === undefined);
  const paths = new Map<string, number[]>();
  const loose: number[] = [];
  for (const [index, { at }] of entries.entries()) {
    const there = at === undefined ? loose : paths.get(at);
    if (there !== undefined) there.push(index);
    else if (at !== undefined) paths.set(at, [index]);
  }
  if (paths.size === 0 || anywhere.length * paths.size > MOST_REPEATED * entries.length) return undefined;
  const places = [...paths.keys()].sort().map((path) => {
    const indexes = [...loose];
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
      indexes.push(...(paths.get(path.slice(0, end)) ?? []));
    const here = indexes.sort((a, b) => a - b).map((index) => entries[index]);
    return placeAt(
      path,
      here.filter((one) => one !== undefined),
    );
  });
  return { entries, places, anywhere };
}

/** What came and what went, of two lists that have most in common, in the same order. */
function changesOf(before: readonly TableEntry[], after: readonly TableEntry[]): TableEntry[] {
  let from = 0;
  while (from < before.length && before[from] === after[from]) from += 1;
  let [oldEnd, newEnd] = [before.length, after.length];
  while (oldEnd > from && newEnd > from && before[oldEnd - 1] === after[newEnd - 1]) {
    oldEnd -= 1;
    newEnd -= 1;
  }
  const [old, fresh] = [new Set(before.slice(from, oldEnd)), new Set(after.slice(from, newEnd))];
  const stayed = [...old].filter((one) => fresh.has(one));
  // Those that stayed must have kept their order, or more has changed than what came and went.
  const inOrder = [...fresh].filter((one) => old.has(one)).every((one, index) => stayed[index] === one);
  return inOrder
    ? [...[...old].filter((one) => !fresh.has(one)), ...[...fresh].filter((one) => !old.has(one))]
    : [...old, ...fresh];
}

/** The tree with what came and went; undefined: it is to be made anew. */
function graft(tree: Tree, entries: readonly TableEntry[]): Tree | undefined {
  const changed = changesOf(tree.entries, entries);
  const paths = new Set(changed.map(({ at }) => at));
  if (changed.length > MOST_CHANGED || paths.has(undefined)) return undefined;
  const touched = [...paths].filter((path) => path !== undefined);
  const stands = new Set(entries.map(({ at }) => at));
  const places = tree.places.flatMap((place): Place[] => {
    if (!touched.some((path) => isBelow(place.path, path))) return [place];
    return stands.has(place.path) ? [placeAt(place.path, matchingAt(place.path, entries))] : [];
  });
  for (const path of touched) {
    const found = places.findIndex((place) => place.path >= path);
    if (stands.has(path) && places[found]?.path !== path)
      places.splice(found < 0 ? places.length : found, 0, placeAt(path, matchingAt(path, entries)));
  }
  const isTree = places.length > 0 && tree.anywhere.length * places.length <= MOST_REPEATED * entries.length;
  return isTree ? { entries, places, anywhere: tree.anywhere } : undefined;
}

/** Makes one table after another into a virtual host, in pieces. */
export function createRouteTree(
  longestList = LONGEST_LIST,
): (entries: readonly TableEntry[], first?: readonly FirstRoute[]) => Uint8Array[] {
  let tree: Tree | undefined;
  return (entries, first = []) => {
    tree =
      entries.length <= longestList
        ? undefined
        : ((tree === undefined ? undefined : graft(tree, entries)) ?? grow(entries));
    const host = encode(HOST, VIRTUAL_HOST);
    if (tree === undefined)
      return [
        host,
        ...first.flatMap(({ route }) => partOf(HOST, 'routes', [route])),
        ...entries.flatMap(({ bytes }) => bytes.flatMap((one) => partOf(HOST, 'routes', [one]))),
      ];
    const map = tree.places.map(({ bytes }) => bytes);
    const matcherTree = [part(TREE, 'input', encode(EXTENSION, INPUT)), ...partOf(TREE, 'prefix_match_map', map)];
    const byPath = [
      ...partOf(MATCHER, 'matcher_tree', matcherTree),
      part(MATCHER, 'on_no_match', action(tree.anywhere)),
    ];
    return [host, ...partOf(HOST, 'matcher', first.length === 0 ? byPath : afterAll(first, byPath))];
  };
}
