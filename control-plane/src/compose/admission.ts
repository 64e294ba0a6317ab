/** The waiting room, joined to what is known of places: registry, sessions, acknowledgements, and what Envoy itself thinks. */
import { authorizationService } from '../admission/authorization.ts';
import { createWaitingRoom, type WaitRules, type WaitingRoom } from '../admission/waiting-room.ts';
import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import { durationMs } from '../model/units.ts';
import type { Held, RegistryView } from '../registry/registry.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import type { GatewayView } from './gateway-view.ts';

export interface AdmissionParts {
  readonly view: () => RegistryView;
  readonly sessions: SessionTable;
  /** Every connected gateway has acknowledged the revision. */
  readonly isAcked: (revision: number) => boolean;
  readonly isUnhealthy: (instance: string) => boolean;
  readonly gatewayView: () => Pick<GatewayView, 'of' | 'refresh'> | undefined;
  readonly onWait: (service: string) => void;
}

export interface Admission {
  readonly room: WaitingRoom;
  readonly service: ReturnType<typeof authorizationService>;
  close(): void;
}

/** While somebody waits: Envoy tells of its own checks only when it is asked. */
const LOOK_MS = 40;

function rulesOf(service: Service | undefined): WaitRules | undefined {
  const zero = service?.spec.autoscale?.zero;
  const queue = service?.spec.gateway.limits?.queue;
  if (zero === undefined && queue === undefined) return undefined;
  return {
    most: Math.max(zero?.maxWaiting ?? 0, queue?.size ?? 0),
    waitMs: Math.max(durationMs(zero?.startTimeout ?? '0s'), durationMs(queue?.timeout ?? '0s')),
  };
}

export function createAdmission(parts: AdmissionParts): Admission {
  const { view, sessions } = parts;
  const serviceOf = (name: string): Service | undefined => view().services.get(name)?.value;

  function isServed({ value: instance, revision }: Held<Instance>): boolean {
    if (instance.state !== 'ready' || instance.drain !== undefined || parts.isUnhealthy(instance.id)) return false;
    return parts.gatewayView()?.of(instance)?.state === 'ok' && parts.isAcked(revision);
  }

  function free(name: string): number {
    const served = [...view().instances.values()].filter((held) => held.value.service === name && isServed(held));
    if (served.length === 0) return 0;
    const most = serviceOf(name)?.spec.gateway.limits?.sessionsPerInstance;
    if (most === undefined) return Number.POSITIVE_INFINITY;
    return served.reduce((sum, { value: { address } }) => {
      const open = address === undefined ? 0 : sessions.openAt(`${address.host}:${address.port}`);
      return sum + Math.max(0, most - open);
    }, 0);
  }

  function why(name: string): string {
    const instances = [...view().instances.values()]
      .map((held) => held.value)
      .filter((instance) => instance.service === name && instance.drain === undefined);
    const failed = instances.find(({ state }) => state === 'failed' || state === 'backoff');
    if (instances.some(({ state }) => state === 'ready')) return `no place became free at ${name}`;
    if (failed !== undefined) return `no instance of ${name} got ready (${failed.id} ${failed.message})`;
    // It is just being started again: what ended it last is what whoever waits should know.
    const ended = instances.find(({ lastExit }) => lastExit !== undefined);
    if (ended?.lastExit !== undefined) {
      const { code, signal, cause } = ended.lastExit;
      const how = cause?.message ?? signal ?? `exit code ${code ?? 'unknown'}`;
      return `no instance of ${name} got ready (${ended.id} ended last with ${how})`;
    }
    return `no instance of ${name} got ready`;
  }

  const room = createWaitingRoom({
    free,
    rulesOf: (name) => rulesOf(serviceOf(name)),
    why,
    onWait: (name) => {
      parts.onWait(name);
    },
    now: () => performance.now(),
  });
  let asking = false;
  const timer = setInterval(() => {
    if (room.total() === 0 || asking) return;
    asking = true;
    void Promise.resolve(parts.gatewayView()?.refresh()).finally(() => {
      asking = false;
      room.look();
    });
  }, LOOK_MS);
  timer.unref();
  return {
    room,
    service: authorizationService(room, Math.random),
    close() {
      clearInterval(timer);
    },
  };
}
