/**
 * The registry is the single writer: every change of a resource goes through one of its commands, which validates,
 * compares and sets, and writes the event in the same commit. Readers take `view()`, an immutable value.
 */
import type { Event, EventFilter } from '../model/event.ts';
import type { Instance, Registration } from '../model/instance.ts';
import type { Route } from '../model/route.ts';
import type { Service } from '../model/service.ts';
import type { Version } from '../model/version.ts';
import type { WriteOptions, WriteResult } from '../model/write.ts';

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
}

export type InstancePatch = Partial<{ -readonly [K in keyof Instance]: Instance[K] | undefined }>;

export interface Registry {
  view(): RegistryView;
  /** Called after each change of the view, newest only: bursts are coalesced. */
  subscribe(listener: (view: RegistryView) => void): () => void;

  /** Creates or updates Services and Routes from documents (any JSON), all or nothing. Unknown fields and dangling references are errors with the document's index in the path. */
  apply(documents: readonly unknown[], options: WriteOptions): Promise<WriteResult>;
  /** Deletes one; its instances are drained first, or ended at once with `now`. Error: not_found, conflict (a route points to it). */
  remove(kind: 'Service' | 'Route', name: string, options: WriteOptions & { now?: boolean }): Promise<WriteResult>;
  /** Start, stop and scale change the spec; restart replaces every instance, new ones first unless `now`. */
  setEnabled(service: string, enabled: boolean, options: WriteOptions & { now?: boolean }): Promise<WriteResult>;
  scale(service: string, replicas: number, options: WriteOptions): Promise<WriteResult>;
  restart(service: string, options: WriteOptions & { now?: boolean }): Promise<WriteResult>;
  /** Drains and stops (or, with `now`, stops) one instance; a replacement is started where the service wants one. */
  stopInstance(id: string, options: WriteOptions & { now?: boolean }): Promise<WriteResult>;

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
  note(event: Pick<Event, 'action' | 'subject' | 'message'>, options: WriteOptions): Promise<void>;
  /** Newest first. */
  events(filter: EventFilter): Promise<Event[]>;
  subscribeEvents(listener: (event: Event) => void): () => void;
  close(): Promise<void>;
}

export type InstanceWrite =
  | { readonly op: 'create'; readonly instance: Instance; readonly event?: string }
  | { readonly op: 'update'; readonly id: string; readonly patch: InstancePatch; readonly event?: string }
  | { readonly op: 'delete'; readonly id: string; readonly event?: string };
