/** Which route takes a request: the same answer that Envoy gives, with the reasons that Envoy keeps to itself. */
import type { FleetRoute, FleetView } from '../model/fleet.ts';
import { findings, parameters, type Finding, type SessionRequest } from '../model/request.ts';
import { inOrder } from '../model/route-order.ts';
import type { Target } from '../model/route.ts';

export interface PassedOver {
  readonly route: string;
  /** The first condition that does not hold. */
  readonly because: string;
}

export interface Choice {
  /** `route/<name>`, `service/<name>` for the standard path, `none`. */
  readonly name: string;
  readonly target: Target | undefined;
  readonly conditions: readonly Finding[];
  /** Routes that come before it, in order; at most 50. */
  readonly passedOver: readonly PassedOver[];
}

const MOST_PASSED_OVER = 50;

export function choose({ services, routes }: Pick<FleetView, 'services' | 'routes'>, request: SessionRequest): Choice {
  const passedOver: PassedOver[] = [];
  for (const { name, spec } of inOrder(routes) satisfies FleetRoute[]) {
    const conditions = findings(spec.match, request);
    const failed = conditions.find(({ ok }) => !ok);
    if (failed === undefined) return { name: `route/${name}`, target: spec.target, conditions, passedOver };
    if (passedOver.length < MOST_PASSED_OVER) passedOver.push({ route: name, because: `not so: ${failed.condition}` });
  }
  const [, agents, service] = request.path.split('/');
  if (agents === 'agents' && services.some(({ name }) => name === service) && service !== undefined)
    return {
      name: `service/${service}`,
      target: { service },
      conditions: [{ ok: true, condition: `path /agents/${service}` }],
      passedOver,
    };
  if (request.path === '/ws') {
    const [byQuery = ''] = parameters(request.query, 'service');
    const named = byQuery === '' ? request.headers.get('service') : byQuery;
    const found = services.find(({ name }) => name === named);
    if (found !== undefined)
      return {
        name: `service/${found.name}`,
        target: { service: found.name },
        conditions: [{ ok: true, condition: `path /ws, service ${found.name}` }],
        passedOver,
      };
  }
  return { name: 'none', target: undefined, conditions: [], passedOver };
}
