/** What an operator should look at now, worst first, each with its reason and where to go. */
import type { InstanceView, LiveState, ServiceView } from '../../../../control-plane/src/api/types.ts';
import type { Condition } from '../../../../control-plane/src/model/meta.ts';
import { own, ofCondition, ofInstance, ofRollout, ofService, type Told } from '../../i18n/told.ts';
import { kindOf, wordOf, type Kind } from '../../ui/status.ts';

export interface Concern {
  readonly key: string;
  readonly kind: Kind;
  /** `noGateway` has no name. */
  readonly about: 'service' | 'gateway' | 'envoy' | 'noGateway';
  readonly name: string;
  readonly state: string;
  /** Undefined: its state says it all. */
  readonly told: Told | undefined;
  /** How many instances of the service are not well. */
  readonly instances: number;
  readonly href: string;
}

const RANK: Readonly<Record<Kind, number>> = { bad: 0, warn: 1, busy: 2, off: 3, ok: 4 };

const ofAll = (service: ServiceView, condition: Condition | undefined): Told =>
  condition === undefined ? ofService(service, []) : ofCondition(condition);

function named(instance: InstanceView): Told {
  const told = ofInstance(instance);
  return { ...told, text: `${instance.id} ${told.text}` };
}

function ofServices(state: LiveState): Concern[] {
  const sick = Map.groupBy(
    state.instances.filter((one) => ['bad', 'warn'].includes(kindOf(wordOf(one)))),
    (one) => one.service,
  );
  return state.services.flatMap((service) => {
    const its: readonly InstanceView[] = sick.get(service.name) ?? [];
    const own = kindOf(service.status.state);
    const kinds = [own, ...its.map((one) => kindOf(wordOf(one)))].sort((a, b) => RANK[a] - RANK[b]);
    const [worst] = kinds;
    const [condition] = service.status.conditions;
    if (worst !== 'bad' && worst !== 'warn' && condition === undefined) return [];
    const first = [...its].sort((a, b) => RANK[kindOf(wordOf(a))] - RANK[kindOf(wordOf(b))])[0];
    return [
      {
        key: `service ${service.name}`,
        // What still serves is a matter for later; what does not is one for now.
        kind: own === 'bad' ? ('bad' as const) : ('warn' as const),
        about: 'service' as const,
        name: service.name,
        state: service.status.state,
        told: first === undefined ? ofAll(service, condition) : named(first),
        instances: its.length,
        href: first === undefined ? `/services/${service.name}` : `/services/${service.name}?instance=${first.id}`,
      },
    ];
  });
}

/** What goes on only when a person says so. */
function ofRollouts({ services }: LiveState): Concern[] {
  return services.flatMap(({ name, status: { rollout } }) =>
    rollout?.phase === 'paused'
      ? [
          {
            key: `rollout ${name}`,
            kind: 'warn' as const,
            about: 'service' as const,
            name,
            state: 'rolloutPaused',
            told: ofRollout({ ...rollout, stages: [] }),
            instances: 0,
            href: `/services/${name}/rollout`,
          },
        ]
      : [],
  );
}

function ofGateways(state: LiveState): Concern[] {
  const { envoy } = state.status;
  const common = { instances: 0, href: '/gateways' };
  const found: Concern[] = [];
  if (envoy.state === 'backoff' || envoy.state === 'starting')
    found.push({
      ...common,
      key: 'envoy',
      kind: envoy.state === 'backoff' ? 'bad' : 'warn',
      about: 'envoy',
      name: 'Envoy',
      state: envoy.state,
      told: envoy.reason === '' ? undefined : own(envoy.reason),
    });
  if (state.gateways.length === 0)
    found.push({
      ...common,
      key: 'none',
      kind: 'bad',
      about: 'noGateway',
      name: '',
      state: 'unknown',
      told: undefined,
    });
  for (const gateway of state.gateways) {
    for (const { type, name, message, owner } of gateway.refusals) {
      found.push({
        ...common,
        key: `refused ${gateway.node} ${type} ${name}`,
        kind: 'bad',
        about: 'gateway',
        name: owner?.name ?? `${gateway.node} ${type.toUpperCase()} ${name}`,
        state: 'ERROR',
        told: own(message),
      });
    }
    const drift = gateway.drift?.drift ?? [];
    if (drift.length > 0)
      found.push({
        ...common,
        key: `drift ${gateway.node}`,
        kind: 'warn',
        about: 'gateway',
        name: gateway.node,
        state: 'drift',
        told: own(drift.map((one) => `${one.type} ${one.name} ${one.message}`).join('; ')),
      });
  }
  return found;
}

export function concerns(state: LiveState): Concern[] {
  return [...ofGateways(state), ...ofServices(state), ...ofRollouts(state)].sort((a, b) => RANK[a.kind] - RANK[b.kind]);
}
