/** Why a request would go where it goes: the decision replayed with what is known now. Pure. */
import { hasWords } from '../model/entry.ts';
import type { FleetInstance, FleetService, FleetView } from '../model/fleet.ts';
import type { LoadSignals } from '../model/load.ts';
import { cookieOf, parameters, type SessionRequest } from '../model/request.ts';
import { targetInWords } from '../model/route-words.ts';
import { versionsFor } from '../model/version-choice.ts';
import { applyPolicy } from './apply-policy.ts';
import { choose, type Choice } from './choose.ts';
import type { Destination, Explanation } from './explanation.ts';
import type { RoutingPolicy } from './policy.ts';

export interface ExplainParts {
  readonly fleet: Pick<FleetView, 'services' | 'routes'>;
  readonly policies: ReadonlyMap<string, RoutingPolicy<never>>;
  readonly signals: (instance: string) => LoadSignals | undefined;
  readonly weights: (service: string) => ReadonlyMap<string, number>;
  readonly tokenOf: (instance: string) => string;
}

function token(service: FleetService, request: SessionRequest): string | undefined {
  const { affinity } = service.gateway;
  if (affinity?.type === 'cookie') return cookieOf(request, affinity.name ?? `switchboard-${service.name}`);
  if (affinity?.type === 'header')
    return request.headers.get(affinity.name) ?? parameters(request.query, affinity.query)[0];
  return undefined;
}

function affinityOf(service: FleetService, request: SessionRequest, parts: ExplainParts): Destination['affinity'] {
  const { affinity } = service.gateway;
  if (affinity === undefined) return null;
  if (affinity.type === 'key') {
    const sources = [
      ...affinity.query.map((name) => [`query parameter ${name}`, parameters(request.query, name)[0]] as const),
      ...(affinity.query.includes('session_id')
        ? (['session-id', 'session_id'] as const).map((name) => [`header ${name}`, request.headers.get(name)] as const)
        : []),
      ...(affinity.header === undefined
        ? []
        : [[`header ${affinity.header}`, request.headers.get(affinity.header)] as const]),
      ...(affinity.cookie === undefined
        ? []
        : [[`cookie ${affinity.cookie}`, cookieOf(request, affinity.cookie)] as const]),
    ];
    const found = sources.find(([, value]) => value !== undefined);
    return {
      instance: null,
      reason:
        found === undefined
          ? 'it shows no key: any instance'
          : `the hash of ${found[0]} decides: the same instance each time, as long as the instances are the same`,
    };
  }
  const shown = token(service, request);
  if (shown === undefined) return { instance: null, reason: 'it shows no token: it is placed as a new session' };
  const held = service.instances.find(({ id }) => parts.tokenOf(id) === shown);
  const otherwise = affinity.strict ? 'it is refused with 503' : 'it is placed as a new session';
  if (held === undefined) return { instance: null, reason: `its token is that of no instance: ${otherwise}` };
  const stays = held.health === 'healthy' || (held.health === 'draining' && affinity.whileDraining);
  return stays
    ? { instance: held.id, reason: `its token is that of ${held.id}, which takes it` }
    : { instance: null, reason: `its token is that of ${held.id}, which is ${held.health}: ${otherwise}` };
}

function destination(service: FleetService, share: number, request: SessionRequest, parts: ExplainParts): Destination {
  const signals = new Map(
    service.instances.map(({ id }) => [id, parts.signals(id)] as const).filter((one) => one[1] !== undefined),
  ) as ReadonlyMap<string, LoadSignals>;
  const policy = parts.policies.get(service.gateway.policy.type);
  const previous = parts.weights(service.name);
  const { fragment, problem } = applyPolicy(
    policy,
    service.gateway.policy,
    service.instances,
    { signals, previous },
    undefined,
  );
  const open = (one: FleetInstance): boolean => one.health === 'healthy' && fragment.excluded?.has(one.id) !== true;
  const levelOf = ({ id }: FleetInstance): number => fragment.levels?.get(id) ?? 0;
  const level = Math.min(...service.instances.filter(open).map(levelOf));
  const versions = versionsFor(service, request);
  const ofVersion = ({ version }: FleetInstance): number =>
    versions === undefined ? 1 : (versions.get(version) ?? 0) / 100;
  const eligible = (one: FleetInstance): boolean => open(one) && levelOf(one) === level && ofVersion(one) > 0;
  const weightOf = ({ id }: FleetInstance): number => fragment.weights?.get(id) ?? 1;
  /** Of the instances among which this one is chosen: those of its version while versions have shares. */
  const totalOf = (one: FleetInstance): number =>
    service.instances
      .filter((other) => eligible(other) && (versions === undefined || other.version === one.version))
      .reduce((sum, other) => sum + weightOf(other), 0);
  return {
    service: service.name,
    share,
    policy: { type: service.gateway.policy.type, about: policy?.about ?? '', problem: problem ?? null },
    affinity: affinityOf(service, request, parts),
    candidates: service.instances.map((one) => {
      const can = eligible(one);
      const told = fragment.reasons?.get(one.id);
      const sessions = signals.get(one.id)?.sessions ?? null;
      const why = can
        ? (told ?? (sessions === null ? 'it can take a session' : `${sessions} open sessions`))
        : one.health !== 'healthy'
          ? `it is ${one.health}`
          : fragment.excluded?.has(one.id) === true
            ? (told ?? 'the policy leaves it out')
            : ofVersion(one) === 0
              ? `version ${one.version} gets none of these sessions`
              : `an earlier level has instances${told === undefined ? '' : ` (${told})`}`;
      return {
        instance: one.id,
        eligible: can,
        sessions,
        share: can ? Math.round((1000 * ofVersion(one) * weightOf(one)) / totalOf(one)) / 1000 : 0,
        reason: why,
      };
    }),
  };
}

function outcomeOf(destinations: readonly Destination[]): string {
  const [first] = destinations;
  if (first === undefined) return 'its service is not there: 503';
  if (destinations.length > 1)
    return `it goes to ${destinations.map(({ service, share }) => `${service} (${Math.round(100 * share)} %)`).join(' or ')}`;
  const { affinity, candidates, service } = first;
  if (affinity?.instance != null) return `it goes to ${affinity.instance} of ${service}, where it was before`;
  if (affinity?.reason.endsWith('503') === true) return affinity.reason;
  const able = candidates.filter((one) => one.eligible);
  if (able.length === 0) return `no instance of ${service} can take a new session: 503`;
  const [only, ...others] = able;
  if (only !== undefined && others.length === 0) return `it goes to ${only.instance} of ${service}`;
  return `it goes to one of ${able.length} instances of ${service}`;
}

const PLAIN = { type: 'least-connections', options: {} };

/** A pool serves all versions alike; one over several services has none of their settings. */
function asPool({ name, gateway }: FleetService, instances: FleetService['instances'], several: boolean): FleetService {
  const { affinity, ...rest } = gateway;
  if (several) return { name, gateway: { ...rest, policy: PLAIN }, instances };
  return { name, gateway: { ...rest, ...(affinity === undefined ? {} : { affinity }) }, instances };
}

/** The instances of a service that a target takes, and its share of those who come. */
interface Part {
  readonly service: FleetService;
  readonly weight: number;
}

function partsOf(target: NonNullable<Choice['target']>, services: readonly FleetService[]): Part[] {
  const named = (name: string): FleetService[] => services.filter((one) => one.name === name);
  if ('split' in target)
    return target.split.flatMap(({ service, weight }) => named(service).map((one) => ({ service: one, weight })));
  if (!('words' in target) && !('tags' in target))
    return named(target.service).map((service) => ({ service, weight: 1 }));
  const takes = ({ tags }: FleetInstance): boolean =>
    'words' in target
      ? hasWords(tags, target.words)
      : Object.entries(target.tags).every(([key, value]) => tags[key] === value);
  // All of them are one pool: a service has as much of it as it has instances that can take sessions.
  return (target.service === undefined ? services : named(target.service))
    .map((service) => asPool(service, service.instances.filter(takes), target.service === undefined))
    .filter(({ instances }) => instances.length > 0)
    .map((service) => ({ service, weight: service.instances.filter(({ health }) => health === 'healthy').length }));
}

export function explain(request: SessionRequest, parts: ExplainParts): Explanation {
  const { name, target, policy, refusal, conditions, passedOver } = choose(parts.fleet, request);
  const found = target === undefined ? [] : partsOf(target, parts.fleet.services);
  const total = found.reduce((sum, { weight }) => sum + weight, 0);
  const destinations = found.map(({ service, weight }) => {
    const { gateway } = service;
    const hinted =
      policy === undefined ? service : { ...service, gateway: { ...gateway, policy: { type: policy, options: {} } } };
    return destination(hinted, total === 0 ? 1 / found.length : weight / total, request, parts);
  });
  const isPool = target !== undefined && ('tags' in target || 'words' in target);
  return {
    route: { name, conditions, passedOver },
    target: target === undefined ? null : targetInWords(target),
    destinations,
    outcome:
      refusal !== undefined
        ? `${refusal}: 404`
        : isPool && found.length === 0
          ? 'no instance has these tags: 503'
          : isPool && total === 0
            ? 'no instance with these tags can take a new session: 503'
            : outcomeOf(destinations),
  };
}
