/** The waiting room, joined to what is known of places: registry, sessions, acknowledgements, and what Envoy itself thinks. */
import { authorizationService } from '../admission/authorization.ts';
import { createDoor, type ClientRules } from '../admission/door.ts';
import { freePlaces } from '../admission/places.ts';
import { createWaitingRoom, type Rules } from '../admission/waiting-room.ts';
import type { Instance } from '../model/instance.ts';
import type { Service } from '../model/service.ts';
import { durationMs } from '../model/units.ts';
import type { Held, RegistryView } from '../registry/registry.ts';
import { followClients } from '../telemetry/client-sessions.ts';
import type { SessionJournal } from '../telemetry/session-journal.ts';
import type { SessionTable } from '../telemetry/sessions.ts';
import type { GatewayView } from './gateway-view.ts';
import { sessionsAtInstance } from './sessions.ts';

export interface AdmissionParts {
  readonly view: () => RegistryView;
  readonly sessions: SessionTable;
  readonly journal: Pick<SessionJournal, 'left' | 'admitted' | 'refused'>;
  /** Every connected gateway has acknowledged the revision. */
  readonly isAcked: (revision: number) => boolean;
  readonly isUnhealthy: (instance: string) => boolean;
  /** Instances that are closed to new sessions as every gateway runs it; undefined: some are yet to hear of the newest. */
  readonly closed: (service: string) => ReadonlySet<string> | undefined;
  readonly gatewayView: () => Pick<GatewayView, 'of' | 'refresh'> | undefined;
  readonly onWait: (service: string) => void;
}

export interface Admission {
  /** Clients that wait for the service. */
  waiting(service: string): number;
  /** The session of this request is counted, or it will never be. */
  readonly arrived: (id: string) => void;
  /** Those whom the control plane before has let in are on their way still. Call it when the services are known. */
  restore(): void;
  /** Something has changed: lets in whoever can be. */
  look(): void;
  readonly service: ReturnType<typeof authorizationService>;
  close(): void;
}

/** While somebody waits: Envoy tells of its own checks only when it is asked. */
const LOOK_MS = 40;
/** What Envoy needs beyond the handshake's own time to tell of a session. */
const TOLD_MS = 2_000;

const arrivesMs = ({ spec }: Service): number => durationMs(spec.gateway.handshakeTimeout) + TOLD_MS;

function clientRulesOf(service: Service | undefined): ClientRules | undefined {
  const most = service?.spec.gateway.limits?.sessionsPerClient;
  return service === undefined || most === undefined ? undefined : { most, arrivesMs: arrivesMs(service) };
}

function rulesOf(service: Service | undefined): Rules | undefined {
  const zero = service?.spec.autoscale?.zero;
  const queue = service?.spec.gateway.limits?.queue;
  if (service === undefined || (zero === undefined && queue === undefined)) return undefined;
  return {
    arrivesMs: arrivesMs(service),
    most: Math.max(zero?.maxWaiting ?? 0, queue?.size ?? 0),
    waitMs: Math.max(durationMs(zero?.startTimeout ?? '0s'), durationMs(queue?.timeout ?? '0s')),
  };
}

export function createAdmission(parts: AdmissionParts): Admission {
  const { view, sessions, journal } = parts;
  const openAt = sessionsAtInstance(sessions);
  const serviceOf = (name: string): Service | undefined => view().services.get(name)?.value;

  const isWell = ({ value: instance }: Held<Instance>): boolean =>
    instance.state === 'ready' && instance.drain === undefined && !parts.isUnhealthy(instance.id);
  const isFound = ({ value: instance }: Held<Instance>): boolean => parts.gatewayView()?.of(instance)?.state === 'ok';
  const wellOf = (name: string): Held<Instance>[] =>
    [...view().instances.values()].filter((held) => held.value.service === name && isWell(held));

  function free(name: string): number {
    const well = wellOf(name);
    const isServed = (held: Held<Instance>): boolean => isFound(held) && parts.isAcked(held.revision);
    const most = serviceOf(name)?.spec.gateway.limits?.sessionsPerInstance;
    if (most === undefined) return well.some(isServed) ? Number.POSITIVE_INFINITY : 0;
    // Load reports are no proof: Envoy's own counts may have begun anew with a restart. Only sessions that are listed count.
    if (!sessions.counts().whole) return 0;
    const closed = parts.closed(name);
    const places = well.map((held) => ({
      open: openAt(held.value),
      takes: closed?.has(held.value.id) !== true,
      served: closed !== undefined && isServed(held),
    }));
    return freePlaces(places, most);
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
      lookOften();
    },
    now: () => performance.now(),
  });
  const clients = followClients(sessions);
  const door = createDoor({
    room,
    rulesOf: (name) => clientRulesOf(serviceOf(name)),
    openOf: (name, address) => clients.open(name, address),
    // Before Envoy hears of it: whoever comes after this control plane must know.
    onIn: (service, { id, address }) => {
      journal.admitted({ id, service, address });
    },
    now: () => performance.now(),
  });
  let asking = false;
  /** The list of clusters is large: it is asked for only while it can bring what somebody waits for. */
  async function look(): Promise<void> {
    if (!asking && [...room.services()].some((name) => wellOf(name).some((held) => !isFound(held)))) {
      asking = true;
      await parts.gatewayView()?.refresh();
      asking = false;
    }
    room.look();
  }
  let timer: NodeJS.Timeout | undefined;
  function lookOften(): void {
    timer ??= setInterval(() => {
      if ([...room.services()].length > 0) {
        void look();
        return;
      }
      clearInterval(timer);
      timer = undefined;
    }, LOOK_MS);
    timer.unref();
  }
  const stop = [
    sessions.watch(({ session }) => {
      door.arrived(session.id);
    }),
    sessions.subscribe(() => {
      door.look();
    }),
  ];
  return {
    waiting: (service) => room.waiting(service),
    arrived(id) {
      door.arrived(id);
      journal.refused(id);
    },
    restore() {
      for (const { service, ...caller } of journal.left.onTheWay) door.expect(service, caller);
    },
    look() {
      door.look();
    },
    service: authorizationService(door, Math.random),
    close() {
      clearInterval(timer);
      for (const one of stop) one();
    },
  };
}
