/** From the registry's view to what the API shows. Pure. */
import { addressText } from '../model/address.ts';
import type { HealthReport } from '../model/health.ts';
import type { LoadSignals } from '../model/load.ts';
import type { Instance } from '../model/instance.ts';
import type { Condition } from '../model/meta.ts';
import { isActive, type Rollout } from '../model/rollout.ts';
import type { Service } from '../model/service.ts';
import { takesSessions } from '../model/takes-sessions.ts';
import type { Held, RegistryView } from '../registry/registry.ts';
import { wantedOf } from '../registry/wanted.ts';
import type { SessionCounts } from '../telemetry/session.ts';
import type { InstanceView, RolloutBrief, ServiceState, ServiceView } from './types.ts';

export interface Observed {
  readonly counts: SessionCounts;
  readonly health: (instance: string) => HealthReport | undefined;
  readonly signals: (instance: string) => LoadSignals | undefined;
  /** ws://host:port */
  readonly gatewayUrl: string;
  readonly conditions: (kind: 'Service' | 'Route', name: string) => readonly Condition[];
}

export function sessionsOf(instance: Instance, counts: SessionCounts): number {
  return instance.address === undefined ? 0 : counts.shownAt(instance.service, addressText(instance.address));
}

function usageOf(signals: LoadSignals | undefined): InstanceView['usage'] {
  const { cpuCores, memoryBytes } = signals ?? {};
  return cpuCores === undefined || memoryBytes === undefined ? null : { cpuCores, memoryBytes };
}

export function instanceView({ value, revision }: Held<Instance>, observed: Observed): InstanceView {
  return {
    ...value,
    revision,
    sessions: sessionsOf(value, observed.counts),
    health: observed.health(value.id) ?? null,
    usage: usageOf(observed.signals(value.id)),
  };
}

/** Of an instance that is ready by its own probe and gets no sessions. */
function whyShutOut(instance: Instance | undefined, { health }: Observed): string | undefined {
  return instance === undefined ? undefined : `${instance.id} ${health(instance.id)?.reason ?? ''}`;
}

function stateOf(
  service: Service,
  instances: readonly Instance[],
  serving: number,
  wanted: number,
  shutOut: string | undefined,
): { state: ServiceState; message: string } {
  if (!service.spec.enabled) {
    const leaving = instances.length;
    return leaving === 0
      ? { state: 'stopped', message: 'is stopped' }
      : { state: 'draining', message: `is stopping: ${leaving} instances end their sessions` };
  }
  if (wanted === 0)
    return {
      state: 'stopped',
      message: service.spec.runtime === 'external' ? 'no instance is registered' : 'no instance is wanted',
    };
  // More than are wanted: while a version takes over, or what is too many drains.
  if (serving > wanted) return { state: 'ready', message: `${serving} instances are ready, ${wanted} are wanted` };
  if (serving === wanted) return { state: 'ready', message: `${serving} of ${wanted} instances are ready` };
  const failed = instances.find((one) => one.state === 'failed' || one.state === 'backoff');
  const why = failed === undefined ? shutOut : `${failed.id} ${failed.message}`;
  const nowhere = instances.find(
    (one) =>
      (one.address === undefined && one.hostname !== undefined) ||
      (one.state === 'starting' && one.reason === 'ListensElsewhere'),
  );
  const hint = why ?? (nowhere === undefined ? undefined : `${nowhere.id} ${nowhere.message}`);
  const count = `${serving} of ${wanted} instances are ready`;
  const told = hint === undefined ? count : `${count}; ${hint}`;
  if (serving > 0) return { state: 'degraded', message: told };
  if (why !== undefined) return { state: 'failed', message: failed === undefined ? told : why };
  return { state: 'starting', message: told };
}

function rolloutBrief(rollout: Rollout | undefined, wanted: number): RolloutBrief | null {
  const isAborted = rollout?.phase === 'aborted' && rollout.to === wanted;
  if (rollout === undefined || !(isActive(rollout) || isAborted)) return null;
  const { from, to, phase, stage, weight, reason, message } = rollout;
  return { from, to, phase, stage, weight, reason, message };
}

export function serviceView(
  view: RegistryView,
  { value, revision }: Held<Service>,
  instances: readonly Instance[],
  observed: Observed,
): ServiceView {
  const ready = instances.filter(
    (one) => one.state === 'ready' && one.drain === undefined && takesSessions(observed.health(one.id)),
  ).length;
  const shutOut = instances.find(
    (one) => one.state === 'ready' && one.drain === undefined && !takesSessions(observed.health(one.id)),
  );
  const present = value.spec.enabled ? instances.filter((one) => one.drain === undefined).length : 0;
  const wanted = value.spec.runtime === 'external' ? present : wantedOf(view, value);
  const sessions = instances.reduce((sum, one) => sum + sessionsOf(one, observed.counts), 0);
  return {
    ...value,
    revision,
    status: {
      ...stateOf(value, instances, ready, wanted, whyShutOut(shutOut, observed)),
      ready,
      wanted,
      sessions,
      url: `${observed.gatewayUrl}/agents/${value.name}`,
      rollout: rolloutBrief(view.rollouts.get(value.name)?.value, value.version),
      conditions: observed.conditions('Service', value.name),
    },
    instances: instances.map((one) => one.id).sort(),
  };
}

/** By code unit: the same order whatever the language of the machine. */
export function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return inOrder(a.name, b.name);
}

export function serviceViews(view: RegistryView, observed: Observed): ServiceView[] {
  const byService = Map.groupBy(
    [...view.instances.values()].map((held) => held.value),
    (instance) => instance.service,
  );
  return [...view.services.values()]
    .map((held) => serviceView(view, held, byService.get(held.value.name) ?? [], observed))
    .sort(byName);
}

export function instanceViews(view: RegistryView, observed: Observed): InstanceView[] {
  return [...view.instances.values()].map((held) => instanceView(held, observed)).sort((a, b) => inOrder(a.id, b.id));
}
