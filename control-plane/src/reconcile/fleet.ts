/**
 * From the registry's view and the probes' verdicts to the FleetView that the gateways are to know. Entries that did not
 * change keep their identity, which is what makes a small change cheap all the way to Envoy.
 */
import type { FleetInstance, FleetRoute, FleetService, FleetShare, FleetView } from '../model/fleet.ts';
import { gatewayCheckOf } from '../model/gateway-check.ts';
import type { Verdict } from '../model/health.ts';
import type { Instance } from '../model/instance.ts';
import type { Rollout } from '../model/rollout.ts';
import type { Service } from '../model/service.ts';
import { sameParts } from '../model/same-parts.ts';
import { canonical } from '../registry/diff.ts';
import type { RegistryView } from '../registry/registry.ts';
import { sharesOf } from '../rollout/pools.ts';

export type FleetBuilder = (view: RegistryView, verdictOf: (instance: string) => Verdict) => FleetView;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function healthOf(
  service: Service,
  rollout: Rollout | undefined,
  instance: Instance,
  verdict: Verdict,
): FleetInstance['health'] | undefined {
  if (instance.state === 'draining' || instance.state === 'stopping') return 'draining';
  if (instance.state !== 'ready') return undefined;
  if (instance.drain !== undefined) return 'draining';
  // What was taken back gets nothing from that moment on, before its instances are drained one by one.
  if (rollout?.phase === 'aborted' && instance.version === rollout.to && service.version === rollout.to)
    return 'draining';
  // An external service that is switched off keeps its sessions and gets no new ones.
  if (service.spec.runtime === 'external' && !service.spec.enabled) return 'draining';
  return verdict === 'unhealthy' || verdict === 'degraded' ? verdict : 'healthy';
}

/** Told to Envoy only where it is used: of an endpoint with another name it forgets how many sessions are open. */
const usesName = ({ tls, hostHeader }: Service['spec']['gateway']): boolean =>
  (tls !== undefined && tls.serverName === undefined) || hostHeader === 'address';

/** A version without an instance that takes sessions leaves its share to the other. */
function servingShares(
  rollout: Rollout | undefined,
  instances: readonly FleetInstance[],
): readonly FleetShare[] | undefined {
  const shares = sharesOf(rollout);
  const serves = (version: number): boolean =>
    instances.some((instance) => instance.version === version && instance.health === 'healthy');
  const empty = shares?.filter((share) => !serves(share.version)) ?? [];
  if (shares === undefined || empty.length === 0) return shares;
  if (empty.length === shares.length) return undefined;
  return shares.map((share) => ({ ...share, weight: empty.includes(share) ? 0 : 100 }));
}

function sameInstance(a: FleetInstance, b: FleetInstance): boolean {
  return (
    a.health === b.health &&
    a.host === b.host &&
    a.port === b.port &&
    a.hostname === b.hostname &&
    a.tls === b.tls &&
    a.weight === b.weight &&
    a.version === b.version &&
    a.zone === b.zone &&
    JSON.stringify(a.tags) === JSON.stringify(b.tags)
  );
}

/** By what is wanted: a rolling update of the only instance has two for a moment, and changes no route. */
const maySeveral = ({ spec }: Service, instances: number): boolean =>
  spec.runtime === 'external' ? instances > 1 : (spec.autoscale?.max ?? spec.replicas) > 1;

/** What an entry is made of: out of the same comes the same. */
interface Sources {
  readonly service: Service;
  readonly rollout: Rollout | undefined;
  /** With the verdict and the weight of each. */
  readonly instances: readonly Instance[];
  readonly verdicts: readonly Verdict[];
  readonly weights: readonly number[];
}

function areSame(a: Sources, b: Sources): boolean {
  return (
    a.service === b.service &&
    a.rollout === b.rollout &&
    sameParts(a.instances, b.instances) &&
    sameParts(a.verdicts, b.verdicts) &&
    sameParts(a.weights, b.weights)
  );
}

/** Weights are ten times as fine while they are steered, so that a factor below one does not end at nothing. */
const FINER = 10;

/** `factorOf`: what multiplies an instance's weight while new sessions are steered; undefined: its weight stands as it is. */
export function createFleetBuilder(factorOf: (instance: string) => number | undefined = () => undefined): FleetBuilder {
  let previous: FleetView = { revision: 0, generation: 0, services: [], routes: [] };
  let made: ReadonlyMap<string, { readonly sources: Sources; readonly entry: FleetService }> = new Map();

  function steered({ id, weight }: Instance): number {
    const factor = factorOf(id);
    return factor === undefined ? weight : Math.max(1, Math.round(weight * FINER * factor));
  }

  function instanceOf(
    service: Service,
    rollout: Rollout | undefined,
    instance: Instance,
    verdict: Verdict,
    weight: number,
    old: FleetInstance | undefined,
  ): FleetInstance | undefined {
    const health = healthOf(service, rollout, instance, verdict);
    if (health === undefined || instance.address === undefined) return undefined;
    const next: FleetInstance = {
      id: instance.id,
      host: instance.address.host,
      port: instance.address.port,
      weight,
      version: instance.version,
      tags: { ...service.spec.tags, ...instance.tags },
      zone: instance.zone ?? '',
      ...(instance.hostname !== undefined && usesName(service.spec.gateway) ? { hostname: instance.hostname } : {}),
      ...(service.spec.gateway.tls === undefined ? {} : { tls: service.name }),
      health,
    };
    return old !== undefined && sameInstance(old, next) ? old : next;
  }

  function entryOf(
    { service, rollout, instances, verdicts, weights }: Sources,
    old: FleetService | undefined,
  ): FleetService {
    const oldInstances = new Map(old?.instances.map((instance) => [instance.id, instance]));
    const next = instances
      .map((instance, index) =>
        instanceOf(
          service,
          rollout,
          instance,
          verdicts[index] ?? 'unknown',
          weights[index] ?? 1,
          oldInstances.get(instance.id),
        ),
      )
      .filter((instance) => instance !== undefined)
      .sort((a, b) => byText(a.id, b.id));
    const { gateway } = service.spec;
    // A service that was written anew with the same settings has new objects with the same content.
    const sameGateway = old !== undefined && (old.gateway === gateway || canonical(old.gateway) === canonical(gateway));
    const wantedCheck = gatewayCheckOf(gateway.healthCheck, service.spec.probe);
    const check = old?.check !== undefined && canonical(old.check) === canonical(wantedCheck) ? old.check : wantedCheck;
    const sameInstances = old !== undefined && sameParts(old.instances, next);
    const shares = servingShares(rollout, next);
    const asks =
      service.spec.autoscale?.zero !== undefined ||
      gateway.limits?.queue !== undefined ||
      gateway.limits?.sessionsPerClient !== undefined;
    const several = maySeveral(service, next.length);
    const sameShares = canonical(old?.shares) === canonical(shares);
    const { tags } = service.spec;
    const sameTags = canonical(old?.tags ?? {}) === canonical(tags);
    if (
      sameGateway &&
      check === old.check &&
      sameInstances &&
      sameShares &&
      sameTags &&
      (old.asks ?? false) === asks &&
      (old.several ?? false) === several
    )
      return old;
    return {
      name: service.name,
      gateway: sameGateway ? old.gateway : gateway,
      check,
      ...(shares === undefined ? {} : { shares }),
      ...(asks ? { asks } : {}),
      ...(several ? { several } : {}),
      ...(Object.keys(tags).length === 0 ? {} : { tags }),
      instances: next,
    };
  }

  return (view, verdictOf) => {
    const byService = Map.groupBy(
      [...view.instances.values()].map((held) => held.value),
      (instance) => instance.service,
    );
    const next = new Map<string, { readonly sources: Sources; readonly entry: FleetService }>();
    for (const { value: service } of view.services.values()) {
      const instances = byService.get(service.name) ?? [];
      const sources = {
        service,
        rollout: view.rollouts.get(service.name)?.value,
        instances,
        verdicts: instances.map(({ id }) => verdictOf(id)),
        weights: instances.map(steered),
      };
      const old = made.get(service.name);
      const isOld = old !== undefined && areSame(old.sources, sources);
      next.set(service.name, isOld ? old : { sources, entry: entryOf(sources, old?.entry) });
    }
    made = next;
    const services = [...next.values()].map(({ entry }) => entry).sort((a, b) => byText(a.name, b.name));
    const oldRoutes = new Map(previous.routes.map((route) => [route.name, route]));
    const routes = [...view.routes.values()]
      .filter(({ value }) => value.spec.enabled)
      .map(({ value }): FleetRoute => {
        const old = oldRoutes.get(value.name);
        return old?.spec === value.spec ? old : { name: value.name, spec: value.spec };
      })
      .sort((a, b) => byText(a.name, b.name));
    previous = { revision: view.revision, generation: previous.generation + 1, services, routes };
    return previous;
  };
}
