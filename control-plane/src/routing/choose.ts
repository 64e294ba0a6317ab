/** Which route takes a request: the same answer that Envoy gives, with the reasons that Envoy keeps to itself. */
import { ENTRY, KNOWN_HINTS, askedOf, hintIn, isKnownHint, isListOf, scopesOf, wordsOfAll } from '../model/entry.ts';
import type { FleetRoute, FleetService, FleetView } from '../model/fleet.ts';
import { findings, type Finding, type SessionRequest } from '../model/request.ts';
import { MISLEADING_PATH, isMisleading } from '../model/path-spelling.ts';
import { inOrder } from '../model/route-order.ts';
import type { Target } from '../model/route.ts';
import type { HintedPolicy } from '../model/service.ts';
import type { PassedOver } from './explanation.ts';

/** Instances with these tags, as the old way in reads them. */
export interface WordsTarget {
  readonly words: readonly string[];
  readonly service?: string;
}

export interface Choice {
  /** `route/<name>`, `service/<name>` for the standard path and the old way in, `tags/<tags>` for the latter by tags alone; else the code of the refusal. */
  readonly name: string;
  readonly target: Target | WordsTarget | undefined;
  /** By which the client asked to be placed, instead of the service's own. */
  readonly policy?: HintedPolicy;
  /** Why nobody takes it. */
  readonly refusal?: string;
  readonly conditions: readonly Finding[];
  /** Routes that come before it, in order; at most 50. */
  readonly passedOver: readonly PassedOver[];
}

const MOST_PASSED_OVER = 50;
const MOST_WORDS = 20;

export function choose({ services, routes }: Pick<FleetView, 'services' | 'routes'>, request: SessionRequest): Choice {
  if (isMisleading(request.path, routes)) return refused(MISLEADING_PATH.code, MISLEADING_PATH.message);
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
  if (request.path === ENTRY) return { ...atEntry(services, request), passedOver };
  return refused('no_route', 'no route matches', passedOver);
}

const refused = (name: string, refusal: string, passedOver: readonly PassedOver[] = []): Choice => ({
  name,
  target: undefined,
  refusal,
  conditions: [],
  passedOver,
});

/** Of the old way in. */
function atEntry(services: readonly FleetService[], request: SessionRequest): Choice {
  const { service: name, tags, hint } = askedOf(request);
  if (hint !== undefined && !isKnownHint(hint))
    return refused('unknown_hint', `routing_hint ${JSON.stringify(hint)} is no strategy; there are ${KNOWN_HINTS}`);
  const conditions: Finding[] = [{ ok: true, condition: `path ${ENTRY}` }];
  const note = (condition: string): number => conditions.push({ ok: true, condition });
  const offered = (service: FleetService): { policy?: HintedPolicy } => {
    const policy = hint === undefined ? undefined : hintIn(hint, service.gateway.hints ?? []);
    if (hint !== undefined)
      note(
        `routing_hint ${hint}${policy === undefined ? `: ${service.name} does not offer it, its own policy decides` : ''}`,
      );
    return policy === undefined ? {} : { policy };
  };
  const whole = (service: FleetService, to: string): Choice => ({
    name: to,
    target: { service: service.name },
    ...offered(service),
    conditions,
    passedOver: [],
  });
  const taken = tags === undefined ? '' : ` with the tags ${tags}`;
  if (name !== undefined) {
    const service = services.find((one) => one.name === name);
    if (service === undefined)
      return refused(tags === undefined ? 'unknown_service' : 'unknown_tag', `there is no service ${name}`);
    note(`service ${name}${taken}`);
    if (tags === undefined || isListOf(wordsOfAll(service), tags)) return whole(service, `service/${name}`);
    const scope = scopesOf([service]).find((one) => one.whole === undefined && isListOf(one.words, tags));
    if (scope === undefined) return refused('unknown_tag', `no instance of ${name} has the tags ${tags}`);
    const target = { words: scope.words, service: name };
    return { name: `service/${name}`, target, conditions, passedOver: [] };
  }
  if (tags === undefined)
    return refused('no_service_named', `a service must be named, or tags: ${ENTRY}?service=NAME or ${ENTRY}?tag=a,b`);
  const scope = scopesOf(services).find((one) => isListOf(one.words, tags));
  if (scope === undefined) {
    const words = [...new Set(services.flatMap(wordsOfAll))].filter((word) => !word.includes('=')).sort();
    const there = words.length === 0 ? 'none has any' : `there are ${words.slice(0, MOST_WORDS).join(', ')}`;
    return refused('unknown_tag', `no instance has the tags ${tags}; ${there}`);
  }
  note(`tags ${tags}`);
  const only = services.find((one) => one.name === scope.whole);
  const to = `tags/${scope.words.join()}`;
  if (only !== undefined) return whole(only, to);
  if (hint !== undefined) note(`routing_hint ${hint}: instances of several services are chosen by least connections`);
  return { name: to, target: { words: scope.words }, conditions, passedOver: [] };
}
