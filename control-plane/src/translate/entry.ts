/**
 * The one way in of the manager that was before, as routes at `/ws`; `model/entry.ts` says what it means. The path goes through as it is. The listener
 * puts what is asked for into headers of ours, whichever way it came. Services that differ in nothing but their name share a route, which
 * leads to the cluster of that name: so this way in costs next to nothing, however many services there are. Tags are a route for each set that occurs.
 */
import { ANY_HINT, ENTRY, KNOWN_HINTS, hintFor, listOf, wordsOfAll } from '../model/entry.ts';
import { escapeRegex } from '../model/condition.ts';
import type { FleetService } from '../model/fleet.ts';
import type { JsonObject } from '../routing/policy.ts';
import { HINT_HEADER, SERVICE_HEADER, TAGS_HEADER } from './filters.ts';
import { policyPool, wordsPool, type EntryScopes } from './pools.ts';
import { toCluster, type Reachable } from './route-action.ts';
import { refusalRoute, routeFor, routesTo } from './route.ts';

const matches = (name: string, regex: string, more: JsonObject = {}): JsonObject => ({
  name,
  string_match: { safe_regex: { regex } },
  ...more,
});
const absent = (name: string): JsonObject => ({ name, present_match: true, invert_match: true });
const present = (name: string): JsonObject => ({ name, present_match: true });
const isService = (...names: string[]): JsonObject =>
  matches(SERVICE_HEADER, `(?:${names.map(escapeRegex).join('|')})`);

/** Nothing but these is asked for; nothing at all will do too. */
const onlyTags = (words: readonly string[]): JsonObject =>
  words.length === 0
    ? absent(TAGS_HEADER)
    : matches(TAGS_HEADER, listOf(words, true), { treat_missing_header_as_empty: true });

const at = (...headers: JsonObject[]): Parameters<typeof routeFor>[1] => ({
  match: { path: { exact: ENTRY, caseSensitive: true }, headers: [], query: [], cookies: [] },
  rewrite: undefined,
  headers,
});

/** What a service has in common with others, as text; undefined: it needs routes of its own, for its versions or for what filters count on it. */
function sharedForm(to: Reachable): string | undefined {
  if (to.shares !== undefined) return undefined;
  const { route, ...rest } = toCluster(to);
  return Object.keys(rest).length > 0 ? undefined : JSON.stringify({ ...route, cluster: undefined });
}

/** A route, or several, and what they were made from: as long as that is the same they need not be made again. */
export interface EntryPart {
  readonly name: string;
  readonly from: readonly unknown[];
  readonly make: () => object[];
}

const refusals: readonly EntryPart[] = [
  [
    'unknown_tag',
    [present(TAGS_HEADER)],
    'no instance has the tags that are asked for, or none of the service that is named with them',
  ],
  ['unknown_service', [present(SERVICE_HEADER)], 'no service has the name that is asked for'],
  ['no_service_named', [], `a service must be named, or tags: ${ENTRY}?service=NAME or ${ENTRY}?tag=a,b`],
].map(([name, headers, message]) => ({
  name: `entry/${name as string}`,
  from: [],
  make: () => [refusalRoute(name as string, { path: ENTRY, headers }, message as string)],
}));

const unknownHint: EntryPart = {
  name: 'entry/unknown_hint',
  from: [],
  make: () => [
    refusalRoute(
      'unknown_hint',
      { path: ENTRY, headers: [matches(HINT_HEADER, ANY_HINT, { invert_match: true })] },
      `no strategy has the name that routing_hint gives; there are ${KNOWN_HINTS}`,
    ),
  ],
};

/** Found once for each form of a service, since there may be thousands. */
interface Kind {
  readonly to: Reachable;
  readonly held: readonly string[];
  readonly form: string | undefined;
  /** Services with the same share a route. */
  readonly key: string;
}

export function createEntry(): (
  services: readonly FleetService[],
  reachable: ReadonlyMap<string, Reachable>,
  scopes: EntryScopes,
) => EntryPart[] {
  const kinds = new WeakMap<FleetService, Kind>();

  function kindOf(service: FleetService, to: Reachable): Kind {
    let kind = kinds.get(service);
    if (kind?.to !== to) {
      const [held, form] = [wordsOfAll(service), sharedForm(to)];
      kind = { to, held, form, key: `${held.join()} ${form ?? ''}` };
      kinds.set(service, kind);
    }
    return kind;
  }

  return (services, reachable, { over, within }) => {
    const own: EntryPart[] = [];
    const named = new Map(services.map((one) => [one.name, one]));
    /** A service by each of the policies that it offers. */
    const hinted = (service: FleetService | undefined, suffix: string, ...headers: JsonObject[]): EntryPart[] =>
      (service?.gateway.hints ?? []).flatMap((policy) => {
        const to = reachable.get(policyPool(policy, service?.name ?? ''));
        const name = `service/${service?.name ?? ''}/ws~${policy}${suffix}`;
        const all = [matches(HINT_HEADER, hintFor(policy)), ...headers];
        return to === undefined
          ? []
          : [{ name, from: [to, JSON.stringify(all)], make: () => routesTo(name, at(...all), to) }];
      });
    const hints: EntryPart[] = [];
    const forms = new Map<
      string,
      { readonly form: string; readonly words: readonly string[]; readonly names: string[] }
    >();
    for (const service of services) {
      const { name } = service;
      const to = reachable.get(name);
      if (to === undefined) continue;
      const { held, form, key } = kindOf(service, to);
      // Most offer none, and there may be thousands of services.
      if (service.gateway.hints !== undefined) hints.push(...hinted(service, '', isService(name), onlyTags(held)));
      if (form === undefined) {
        const headers = at(isService(name), onlyTags(held));
        own.push({
          name: `entry/${name}`,
          from: [to, held.join()],
          make: () => routesTo(`service/${name}/ws`, headers, to),
        });
      } else {
        const group = forms.get(key);
        if (group === undefined) forms.set(key, { form, words: held, names: [name] });
        else group.names.push(name);
      }
    }
    const shared = [...forms].map(([key, { form, words: held, names }]): EntryPart => ({
      name: `entry:${key}`,
      from: names,
      make: () => {
        const route = JSON.parse(form) as JsonObject;
        // Only these names: the clusters of Envoy are more than the services.
        const action = { route: { ...route, cluster_header: SERVICE_HEADER } };
        return [routeFor('entry', at(isService(...names), onlyTags(held)), action)];
      },
    }));
    const leads = (name: string, cluster: string, headers: JsonObject[]): EntryPart[] => {
      const to = reachable.get(cluster);
      return to === undefined ? [] : [{ name, from: [to], make: () => routesTo(name, at(...headers), to) }];
    };
    return [
      unknownHint,
      ...hints,
      ...shared,
      ...own,
      ...[...within].flatMap(([service, scopes]) =>
        scopes.flatMap((scope) =>
          leads(`service/${service}/ws?${scope.words.join()}`, wordsPool(scope.words, service), [
            isService(service),
            matches(TAGS_HEADER, listOf(scope.words)),
          ]),
        ),
      ),
      ...over.flatMap(({ words: asked, whole }) => {
        const headers = [absent(SERVICE_HEADER), matches(TAGS_HEADER, listOf(asked))];
        return [
          ...(whole === undefined ? [] : hinted(named.get(whole), `?${asked.join()}`, ...headers)),
          ...leads(`tags/${asked.join()}`, whole ?? wordsPool(asked), headers),
        ];
      }),
      ...refusals,
    ];
  };
}
