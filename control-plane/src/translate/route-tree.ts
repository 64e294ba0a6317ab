/**
 * The route table as Envoy reads it. A short one is a list. In a long one each request would be held against every route, so it becomes a
 * tree by path: under each literal path stand the routes that can match there, in the same order. The first that matches is the same.
 */
import { encode, encodeWith, mapEntry, part } from '@switchboard/proto';
import type { PathMatch } from '../model/route.ts';
import { sameParts } from './resource.ts';
import { VIRTUAL_HOST } from './route.ts';

const HOST = 'envoy.config.route.v3.VirtualHost';
const LIST = 'envoy.config.route.v3.RouteList';
const MATCHER = 'xds.type.matcher.v3.Matcher';
const ON_MATCH = `${MATCHER}.OnMatch`;
const TREE = `${MATCHER}.MatcherTree`;
const MAP = `${TREE}.MatchMap`;
const EXTENSION = 'xds.core.v3.TypedExtensionConfig';
const ANY = 'google.protobuf.Any';

/** Up to here a list is as quick. */
const LONGEST_LIST = 200;
/** A tree repeats the routes without a literal path at each of its paths: with this many times the routes it is not worth it. */
const MOST_REPEATED = 8;

export interface TableEntry {
  readonly path: PathMatch | undefined;
  /** Routes of Envoy, encoded. */
  readonly bytes: readonly Uint8Array[];
}

/** The path at which an entry stands in the tree; undefined: anywhere. */
function literal(path: PathMatch | undefined): string | undefined {
  if (path?.caseSensitive !== true) return undefined;
  if ('exact' in path) return path.exact;
  if (!('prefix' in path)) return undefined;
  const base = path.prefix.replace(/\/+$/, '');
  return base === '' ? undefined : base;
}

function ancestors(path: string): string[] {
  const found: string[] = [];
  for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1)) found.push(path.slice(0, at));
  return [...found, path];
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

/** Each literal path with the indexes of the entries that can match at or below it, in order; undefined: a list is better. */
function byPath(entries: readonly TableEntry[]): { anywhere: number[]; paths: Map<string, number[]> } | undefined {
  const at = new Map<string, number[]>();
  const anywhere: number[] = [];
  for (const [index, { path }] of entries.entries()) {
    const key = literal(path);
    const there = key === undefined ? anywhere : at.get(key);
    if (there !== undefined) there.push(index);
    else if (key !== undefined) at.set(key, [index]);
  }
  if (anywhere.length * at.size > MOST_REPEATED * entries.length) return undefined;
  const paths = new Map(
    [...at.keys()]
      .sort()
      .map((key) => [key, [...ancestors(key).flatMap((one) => at.get(one) ?? []), ...anywhere].sort((a, b) => a - b)]),
  );
  return { anywhere, paths };
}

/** What stands at a path, encoded, and the entries that it was made from. */
export type KeptPaths = Map<string, { readonly entries: readonly TableEntry[]; readonly bytes: Uint8Array }>;

/** `kept`: from the table before; a path whose entries are the same is not encoded again. */
export function virtualHost(
  entries: readonly TableEntry[],
  longestList = LONGEST_LIST,
  kept: KeptPaths = new Map(),
): Uint8Array {
  const found = entries.length <= longestList ? undefined : byPath(entries);
  if (found === undefined || found.paths.size === 0)
    return encodeWith(
      HOST,
      VIRTUAL_HOST,
      'routes',
      entries.flatMap(({ bytes }) => bytes),
    );
  const pick = (indexes: readonly number[]): TableEntry[] =>
    indexes.map((index) => entries[index]).filter((one) => one !== undefined);
  const bytesAt = (path: string, indexes: readonly number[]): Uint8Array => {
    const here = pick(indexes);
    const old = kept.get(path);
    if (old !== undefined && sameParts(old.entries, here)) return old.bytes;
    const bytes = mapEntry(MAP, 'map', path, action(here));
    kept.set(path, { entries: here, bytes });
    return bytes;
  };
  for (const path of [...kept.keys()]) if (!found.paths.has(path)) kept.delete(path);
  const map = Buffer.concat([...found.paths].map(([path, indexes]) => bytesAt(path, indexes)));
  const tree = Buffer.concat([part(TREE, 'input', encode(EXTENSION, INPUT)), part(TREE, 'prefix_match_map', map)]);
  const matcher = Buffer.concat([
    part(MATCHER, 'matcher_tree', tree),
    part(MATCHER, 'on_no_match', action(pick(found.anywhere))),
  ]);
  return Buffer.concat([encode(HOST, VIRTUAL_HOST), part(HOST, 'matcher', matcher)]);
}
