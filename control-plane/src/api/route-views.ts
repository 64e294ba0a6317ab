/** Routes as the API shows them: with conditions that tell whether they are served and can be reached. */
import type { ConditionReason } from '../model/reasons.ts';
import type { Condition } from '../model/meta.ts';
import { routeWarnings, type RouteWarning } from '../model/route-overlap.ts';
import type { Route } from '../model/route.ts';
import type { Held, RegistryView } from '../registry/registry.ts';
import type { ApiContext } from './context.ts';
import type { RouteView } from './types.ts';

type Problems = readonly { readonly kind: string; readonly name: string; readonly message: string }[];

const kept = new WeakMap<object, ReadonlyMap<string, readonly RouteWarning[]>>();

/** Computed once for each state of the routes. */
function warnings({ routes, services }: RegistryView): ReadonlyMap<string, readonly RouteWarning[]> {
  const old = kept.get(routes);
  if (old !== undefined) return old;
  const all = [...routes.values()].map(({ value }) => ({ name: value.name, spec: value.spec }));
  const found = Map.groupBy(routeWarnings(all, new Set(services.keys())), ({ route }) => route);
  kept.set(routes, found);
  return found;
}

function conditionsOf(route: Route, view: RegistryView, problems: Problems): Condition[] {
  const since = route.updatedAt;
  if (!route.spec.enabled)
    return [
      {
        type: 'Served',
        status: 'false',
        reason: 'Disabled' satisfies ConditionReason,
        message: 'it is switched off',
        since,
      },
    ];
  const problem = problems.find(({ kind, name }) => kind === 'Route' && name === route.name);
  const served: Condition =
    problem === undefined
      ? { type: 'Served', status: 'true', reason: 'Served' satisfies ConditionReason, message: 'Envoy has it', since }
      : {
          type: 'Served',
          status: 'false',
          reason: 'NotServed' satisfies ConditionReason,
          message: problem.message,
          since,
        };
  const own = warnings(view).get(route.name) ?? [];
  const unreachable = own.find(({ reason }) => reason === 'Unreachable');
  const reachable: Condition =
    unreachable === undefined
      ? {
          type: 'Reachable',
          status: 'true',
          reason: 'Reachable' satisfies ConditionReason,
          message: 'requests can reach it',
          since,
        }
      : { type: 'Reachable', status: 'false', reason: unreachable.reason, message: unreachable.message, since };
  const others = own
    .filter(({ reason }) => reason !== 'Unreachable')
    .map(({ reason, message }): Condition => ({ type: 'Clear', status: 'false', reason, message, since }));
  return [served, reachable, ...others];
}

export function routeView(
  api: Pick<ApiContext, 'registry' | 'problems' | 'conditions'>,
  { value, revision }: Held<Route>,
): RouteView {
  const refused = api.conditions()('Route', value.name);
  return {
    ...value,
    revision,
    status: { conditions: [...conditionsOf(value, api.registry.view(), api.problems()), ...refused] },
  };
}

export function routeViews(api: ApiContext): RouteView[] {
  const conditions = api.conditions();
  const once = { registry: api.registry, problems: () => problems, conditions: () => conditions };
  const problems = api.problems();
  return [...api.registry.view().routes.values()].map((held) => routeView(once, held));
}
