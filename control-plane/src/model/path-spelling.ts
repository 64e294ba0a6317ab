/**
 * An agent gets the path as it was sent, so routes are held against it as it was sent. What could be one route's path as it stands and another's in
 * normal form (RFC 3986, and the separators that servers add to it) is refused: a request never comes to where its path does not lead. That is asked
 * only as far as paths of routes reach: what follows is the agent's own, and passes in any spelling.
 */
import { RE2JS } from 're2js';
import { SLASH, escapeRegex } from './condition.ts';
import { ENTRY } from './entry.ts';
import type { FleetRoute } from './fleet.ts';
import type { PathMatch } from './route.ts';

const AGENTS = '/agents';
/** What is answered, with 404. */
export const MISLEADING_PATH = {
  code: 'path_spelling',
  message:
    'this path could be read as that of another route: up to where its route ends it needs single plain slashes, no . or .., and letters, digits and -._~ as they are; beyond that no ..',
};
/** What servers take for a slash beside it. */
const ENCODED_SLASH = String.raw`(?:\\|%2f|%5c)`;
const DOT = String.raw`(?:\.|%2e)`;
/** Letters, digits and `-._~`, which mean the same when they are not encoded. */
const NEEDLESS = '%(?:2[de]|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])';
const REST = '[^?]*';
/** Out of the path of a route. Some servers read `..;` so too. */
const CLIMBS = `${REST}${SLASH}${DOT}${DOT}(?:(?:;|${SLASH})${REST})?`;
/** Below a place where more names than these stand, any is taken for one. */
const MOST_NAMES = 50;
/** Places in one expression: a longer one would take RE2 more memory than it is given. */
const MOST_PLACES = 400;

/** The path that a match names, if it names one. */
function pathOf(path: PathMatch | undefined): string | undefined {
  if (path === undefined) return undefined;
  if ('exact' in path) return path.exact;
  return 'prefix' in path ? path.prefix.replace(/\/+$/, '') : undefined;
}

/** By place, the names that paths of routes have right below it. The top is ''. */
function namesIn(paths: Iterable<string>): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>();
  for (const path of paths) {
    let place = '';
    for (const name of path.toLowerCase().split('/').slice(1)) {
      const known = names.get(place);
      if (known === undefined) names.set(place, new Set([name]));
      else known.add(name);
      place = `${place}/${name}`;
    }
  }
  return names;
}

function oddBelow(place: string, names: ReadonlySet<string>): string {
  const name =
    place === AGENTS || names.size > MOST_NAMES ? '[^/?]*?' : `(?:${[...names].sort().map(escapeRegex).join('|')})`;
  // The place and then no plain slash, or more than one, or `.`; a name with a character that is encoded for nothing; a name and then no plain slash.
  const here = `${ENCODED_SLASH}|/(?:${SLASH}|${DOT}(?:${SLASH}|$))|/[^/?]*?${NEEDLESS}|/${name}${ENCODED_SLASH}`;
  return `${escapeRegex(place)}(?:${here})`;
}

/** Expressions that match, each whole, the paths that are refused. The same for all services that may be there, so that one more changes nothing. */
export function misleadingPaths(routes: readonly FleetRoute[]): string[] {
  const own = routes.map(({ spec }) => pathOf(spec.match.path)).filter((path) => path !== undefined);
  const places = [...namesIn([`${AGENTS}/`, ENTRY, ...own])].sort(([a], [b]) => (a < b ? -1 : 1));
  const parts: string[] = [];
  for (let n = 0; n < places.length; n += MOST_PLACES) {
    const odd = places.slice(n, n + MOST_PLACES).map(([place, names]) => oddBelow(place, names));
    parts.push(`(?i)(?:${n === 0 ? `${CLIMBS}|` : ''}(?:${odd.join('|')})${REST})`);
  }
  return parts;
}

/** Of the routes that were asked about last. */
let compiled: { readonly routes: readonly FleetRoute[]; readonly all: readonly RE2JS[] } | undefined;

/** Whether a path is refused. */
export function isMisleading(path: string, routes: readonly FleetRoute[]): boolean {
  // Most have nothing odd.
  if (!/[%\\]|\/[./]/.test(path)) return false;
  if (compiled?.routes !== routes)
    compiled = { routes, all: misleadingPaths(routes).map((regex) => RE2JS.compile(regex)) };
  return compiled.all.some((regex) => regex.matches(path));
}
