/**
 * The registry is the single writer: every change of a resource goes through one of its commands, which validates,
 * compares and sets, and writes the event in the same commit. Readers take `view()`, an immutable value.
 */
import type { Scale } from '../model/autoscale.ts';
import type { DrainRequest, DrainTarget } from '../model/drain.ts';
import type { AuditReport, ChainLink, Event, EventFilter, NewEvent } from '../model/event.ts';
import type { Instance, Registration } from '../model/instance.ts';
import type { GivenReason, InstanceReason, LeavingReason, RolloutAction } from '../model/reasons.ts';
import type { Rollout, RolloutVerb } from '../model/rollout.ts';
import type { Route } from '../model/route.ts';
import type { Service } from '../model/service.ts';
import type { Version } from '../model/version.ts';
import type { WriteOptions, WriteResult } from '../model/write.ts';
import type { RolloutPatch } from '../rollout/advance.ts';

/** A resource with the revision that last wrote it: its ETag. */
export interface Held<T> {
  readonly value: T;
  readonly revision: number;
}

export interface RegistryView {
  readonly revision: number;
  readonly services: ReadonlyMap<string, Held<Service>>;
  /** By service, newest last. */
  readonly versions: ReadonlyMap<string, readonly Version[]>;
  /** By instance id. */
  readonly instances: ReadonlyMap<string, Held<Instance>>;
  readonly routes: ReadonlyMap<string, Held<Route>>;
  /** The newest of each service. */
  readonly rollouts: ReadonlyMap<string, Held<Rollout>>;
  /** By service: what its autoscaler wants. */
  readonly scales: ReadonlyMap<string, Held<Scale>>;
}

/** A step of a rollout, decided on what it was at `revision`; `event`: the action that it is told as. */
export interface RolloutWrite {
  readonly service: string;
  readonly revision: number;
  readonly patch: RolloutPatch;
  readonly event?: RolloutAction;
}

export type InstancePatch = Partial<{ -readonly [K in keyof Instance]: Instance[K] | undefined }> & {
  /** While it drains: why it is to go, which a person may say in words of their own. */
  reason?: InstanceReason | LeavingReason | GivenReason;
};

export interface Registry {
  view(): RegistryView;
  /** Called after each change of the view, newest only: bursts are coalesced. */
  subscribe(listener: (view: RegistryView) => void): () => void;

  /** Creates or updates Services and Routes from documents (any JSON), all or nothing. Unknown fields and dangling references are errors with the document's index in the path. With `set` they belong to it, and what else does can be deleted. */
  apply(documents: readonly unknown[], options: WriteOptions): Promise<WriteResult>;
  /** Deletes one; its instances are drained first, or ended at once with `now`. Error: not_found, conflict (a route points to it). */
  remove(kind: 'Service' | 'Route', name: string, options: WriteOptions & { now?: boolean }): Promise<WriteResult>;
  /** Start, stop and scale change the spec; restart replaces every instance, new ones first unless `now`. */
  setEnabled(service: string, enabled: boolean, options: WriteOptions & { now?: boolean }): Promise<WriteResult>;
  scale(service: string, replicas: number, options: WriteOptions): Promise<WriteResult>;
  restart(service: string, options: WriteOptions & { now?: boolean }): Promise<WriteResult>;
  /** Drains and stops (or, with `now`, stops) one instance; a replacement is started where the service wants one. */
  stopInstance(id: string, options: WriteOptions & { now?: boolean }): Promise<WriteResult>;

  /** Steers the rollout of a service. Error: not_found, conflict (it is not in a state for this), precondition_failed. */
  steerRollout(service: string, verb: RolloutVerb, options: WriteOptions): Promise<WriteResult>;
  /** Makes an earlier version (default: the one before) the wanted one again. Error: not_found. */
  undo(service: string, version: number | undefined, options: WriteOptions): Promise<WriteResult>;
  /** A pinned version is never dropped from the history. Error: not_found. */
  pinVersion(service: string, version: number, pinned: boolean, options: WriteOptions): Promise<WriteResult>;
  /** For the reconcile loop: what was decided on an older state is passed over. */
  writeRollouts(writes: readonly RolloutWrite[]): Promise<number>;
  /** For the autoscaler: what it wants of a service, with its reason. A service that is gone is passed over. */
  writeScale(service: string, replicas: number, reason: string, message: string): Promise<number>;
  /** No new sessions for an instance, a version or a service; what then becomes of them the request says. */
  drain(target: DrainTarget, request: DrainRequest, options: WriteOptions): Promise<WriteResult>;
  /** Cancels drains. Error: conflict (it is being stopped already). */
  undrain(target: DrainTarget, options: WriteOptions): Promise<WriteResult>;

  /** Self-registration under a lease. The same id at the same address again is a renewal. Error: invalid (the service is not external), conflict (id or address taken). */
  register(
    registration: Registration,
    options: WriteOptions,
  ): Promise<{ instance: Instance; token: number; expiresAt: string; revision: number }>;
  /** Error: not_found (the lease was lost: register again). */
  heartbeat(id: string, token: number): Promise<{ expiresAt: string }>;
  /** Drains, then removes; with `now` removes at once. */
  deregister(id: string, token: number, options: WriteOptions & { now?: boolean }): Promise<WriteResult>;

  /** Ids of self-registered instances whose lease is over. */
  lostLeases(): Promise<string[]>;

  /** For the reconcile loop: writes instances (undefined patch: delete), each with an event where `message` is given; instances that are gone by now are passed over. */
  writeInstances(writes: readonly InstanceWrite[]): Promise<number>;

  /** An event about something that is no resource here, such as a gateway. */
  note(event: NewEvent, options: WriteOptions): Promise<void>;
  /** Newest first. */
  events(filter: EventFilter): Promise<Event[]>;
  subscribeEvents(listener: (event: Event) => void): () => void;
  /** Of the chain that links the events; number 0: no event has a hash yet. */
  eventsHead(): Promise<ChainLink>;
  /** Whether the stored events are those that were written; `noted`: a head of earlier that was kept elsewhere. */
  verifyEvents(noted?: ChainLink): Promise<AuditReport>;
  close(): Promise<void>;
}

export type InstanceWrite =
  | { readonly op: 'create'; readonly instance: Instance; readonly event?: string }
  | { readonly op: 'update'; readonly id: string; readonly patch: InstancePatch; readonly event?: string }
  | { readonly op: 'delete'; readonly id: string; readonly event?: string };
