/**
 * The registry over a store. Commands run one after another: each is computed from the newest view, committed with
 * compare-and-set on every resource that it read to write, and shown in the view before it is answered. Another control
 * plane's commits arrive through the store's watch; a command that lost a race to one is computed again.
 */
import { randomInt } from 'node:crypto';
import { addressText } from '../model/address.ts';
import { SwitchboardError, isError, type Issue } from '../model/errors.ts';
import type { Event } from '../model/event.ts';
import type { LeavingReason } from '../model/reasons.ts';
import type { Service } from '../model/service.ts';
import type { Impact, WriteOptions, WriteResult } from '../model/write.ts';
import type { Commit, Store } from '../store/store.ts';
import type { Log } from '../log.ts';
import type { Validate } from './commands/apply.ts';
import { drain, undrain } from './commands/drain.ts';
import {
  checkRegistration,
  drained,
  registered,
  replaceInstance,
  stopInstance,
  writeInstances,
} from './commands/instances.ts';
import { applyAndPrune } from './commands/prune.ts';
import { steerRollout, writeRollouts } from './commands/rollouts.ts';
import { undo } from './commands/undo.ts';
import { writeScale } from './commands/scales.ts';
import { pinVersion } from './commands/versions.ts';
import { removeRoute, removeService, restart, scale, setEnabled } from './commands/services.ts';
import { addEvent, newDraft, type CommandContext, type Draft } from './draft.ts';
import { chainOf, sealed, verify } from './chain.ts';
import { createEventLog, type EventRetention } from './events.ts';
import { CHAIN_KEY, eventKey, remove } from './keys.ts';
import type { Registry, RegistryView } from './registry.ts';
import { createLeases } from './leases.ts';
import { createQueue } from './queue.ts';
import { emptyView, viewOf, withCommit } from './view.ts';

export interface RegistryOptions {
  store: Store;
  now: () => number;
  /** Milliseconds since the epoch: since then this process has been there without a standstill. Default: since this was made. */
  wokeAt?: () => number;
  log: Log;
  /** Random lower-case letters and digits of the given length; default: from the system's random source. */
  randomId?: (length: number) => string;
  /** Default: 5,000 of them, for 90 days. */
  events?: EventRetention;
  validate?: Validate;
  /** What a service that is written needs and is not there: the write is made all the same, and warns of it. */
  missing?: (service: Service) => readonly Issue[];
  /** What going from one view to the other does to open sessions. */
  impactOf?: (before: RegistryView, after: RegistryView) => Impact;
  /** Called for each commit with its changed keys (events left out), before listeners are. */
  onCommit?: (commit: Commit) => void;
}

const NO_IMPACT: Impact = { endsNow: 0, drains: 0, instances: [] };
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
/** A command that lost this many races in a row gives up: something else is wrong. */
const MOST_RACES = 20;

function systemRandomId(length: number): string {
  return Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}

export async function createRegistry(options: RegistryOptions): Promise<Registry> {
  const {
    store,
    now,
    log,
    validate = () => [],
    impactOf = () => NO_IMPACT,
    missing = () => [],
    randomId = systemRandomId,
    onCommit,
  } = options;
  const listeners = new Set<(view: RegistryView) => void>();
  const stop = new AbortController();
  const madeAt = now();
  const queue = createQueue();
  const { revision, records } = await store.list('');
  let view = viewOf(revision, records);
  const eventLog = createEventLog(records, options.events);
  let chain = chainOf(records.find(({ key }) => key === CHAIN_KEY));
  let notifying = false;
  const leases = createLeases({ store, view: () => view, now, wokeAt: options.wokeAt ?? (() => madeAt) });

  /** Listeners are told once after a burst, with the newest view. */
  function notify(): void {
    if (notifying) return;
    notifying = true;
    setImmediate(() => {
      notifying = false;
      for (const listener of listeners) listener(view);
    });
  }

  function show(commit: Commit): void {
    const next = withCommit(view, commit);
    if (next === view) return;
    view = next;
    eventLog.add(commit);
    for (const change of commit.changes)
      if (change.op === 'put' && change.key === CHAIN_KEY)
        chain = chainOf({ value: change.value, revision: commit.revision });
    onCommit?.(commit);
    notify();
  }

  /** Everything anew: at a gap in history there is no other way to be right. */
  async function relist(): Promise<void> {
    const all = await store.list('');
    view = viewOf(all.revision, all.records);
    eventLog.reset(all.records);
    chain = chainOf(all.records.find(({ key }) => key === CHAIN_KEY));
    notify();
  }

  async function follow(): Promise<void> {
    for (;;) {
      try {
        for await (const commit of store.watch(view.revision, stop.signal)) show(commit);
        return;
      } catch (error) {
        if (stop.signal.aborted) return;
        log.warn({ error }, 'the watch of the store ended; reading everything again');
        await relist();
      }
    }
  }
  const following = follow();

  const contextOf = (write: WriteOptions): CommandContext => ({ now, randomId, options: write });

  async function commit(draft: Draft): Promise<number> {
    const old = eventLog.old(now());
    const { changes, expect } = sealed(chain, draft.changes, old);
    const deleted = old.map(({ id }) => remove(eventKey(id)));
    const done = await store.commit([...changes, ...deleted], { expect: [...draft.expect, ...expect] });
    show(done);
    return done.revision;
  }

  function warningsOf({ report }: Draft, after: RegistryView): string[] {
    return report.flatMap(({ kind, name }) => {
      const service = kind === 'Service' ? after.services.get(name)?.value : undefined;
      return service === undefined
        ? []
        : missing(service).map(({ path, message }) => `service ${name}: ${path}: ${message}`);
    });
  }

  /** Runs a command to its end: compute, commit or (dry run) only tell. */
  function run(
    write: WriteOptions,
    command: (view: RegistryView, context: CommandContext) => Draft,
  ): Promise<WriteResult> {
    return queue.run(async () => {
      for (let race = 0; ; race += 1) {
        const before = view;
        const draft = command(before, contextOf(write));
        const after = withCommit(before, { revision: before.revision + 1, changes: draft.changes });
        const warnings = [...draft.warnings, ...warningsOf(draft, after)];
        const result = { changes: draft.report, warnings, impact: impactOf(before, after) };
        if (write.dryRun === true || draft.changes.length === 0)
          return { revision: before.revision, dryRun: write.dryRun === true, ...result };
        try {
          return { revision: await commit(draft), dryRun: false, ...result };
        } catch (error) {
          if (!isError(error, 'precondition_failed') || race >= MOST_RACES) throw error;
          await relist();
        }
      }
    });
  }

  const registry: Registry = {
    view: () => view,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    apply: (documents, write) => run(write, (present, context) => applyAndPrune(present, documents, context, validate)),
    remove: (kind, name, write) =>
      run(write, (present, context) =>
        kind === 'Service'
          ? removeService(present, name, context, write.now === true)
          : removeRoute(present, name, context),
      ),
    setEnabled: (service, enabled, write) =>
      run(write, (present, context) => setEnabled(present, service, enabled, context, write.now === true)),
    scale: (service, replicas, write) => run(write, (present, context) => scale(present, service, replicas, context)),
    restart: (service, write) =>
      run(write, (present, context) => restart(present, service, context, write.now === true)),
    stopInstance: (id, write) =>
      run(write, (present, context) => {
        const draft = newDraft();
        stopInstance(present, id, context, draft, write.now === true);
        return draft;
      }),

    steerRollout: (service, verb, write) =>
      run(write, (present, context) => steerRollout(present, service, verb, context)),
    undo: (service, version, write) => run(write, (present, context) => undo(present, service, version, context)),
    pinVersion: (service, version, pinned, write) =>
      run(write, (present, context) => pinVersion(present, service, version, pinned, context)),
    async writeScale(service, replicas, reason, message) {
      const result = await run({ actor: 'autoscaler' }, (present, context) =>
        writeScale(present, service, { replicas, reason, message }, context),
      );
      return result.revision;
    },
    async writeRollouts(writes) {
      if (writes.length === 0) return view.revision;
      const result = await run({ actor: 'controller' }, (present, context) => {
        const draft = newDraft();
        writeRollouts(present, writes, context, draft);
        return draft;
      });
      return result.revision;
    },
    drain: (target, request, write) => run(write, (present, context) => drain(present, target, request, context)),
    undrain: (target, write) => run(write, (present, context) => undrain(present, target, context)),

    async register(registration, write) {
      checkRegistration(view, registration);
      const id = registration.id ?? `${registration.service}-${randomId(5)}`;
      const ttlMs = registration.ttlSeconds * 1000;
      const holder = addressText(registration.address);
      const lease = await leases.acquire(id, holder, ttlMs);
      if (lease === undefined)
        throw new SwitchboardError('conflict', `instance ${id} is registered from another address`);
      const result = await run(write, (present, context) => {
        checkRegistration(present, { ...registration, id });
        const draft = newDraft();
        const instance = registered(present, { ...registration, id }, lease.token, lease.name, context);
        replaceInstance(present, draft, instance);
        const isNew = !present.instances.has(id);
        draft.report.push({ kind: 'Instance', name: id, action: isNew ? 'created' : 'updated', diff: [] });
        if (isNew)
          addEvent(draft, context, {
            action: 'instance.register',
            subject: { kind: 'Instance', name: id, service: registration.service },
            message: `instance ${id} registered itself at ${holder}`,
          });
        return draft;
      });
      const held = view.instances.get(id);
      if (held === undefined) throw new SwitchboardError('not_found', `instance ${id} was removed meanwhile`);
      return {
        instance: held.value,
        token: lease.token,
        expiresAt: new Date(lease.expiresAt).toISOString(),
        revision: result.revision,
      };
    },

    async heartbeat(id, token) {
      const renewed = await leases.renew(view.instances.get(id)?.value, token);
      if (renewed === undefined)
        throw new SwitchboardError('not_found', `the registration of ${id} is lost`, { remedy: 'Register again.' });
      // It was silent too long, and is back before it was removed.
      if (view.instances.get(id)?.value.drain?.reason === ('LeaseLost' satisfies LeavingReason))
        await run({ actor: 'controller', note: 'it sends heartbeats again' }, (present, context) =>
          undrain(present, { kind: 'instance', id }, context),
        );
      return { expiresAt: new Date(renewed.expiresAt).toISOString() };
    },

    async deregister(id, token, write) {
      const lease = view.instances.get(id)?.value.lease;
      if (lease?.token !== token)
        throw new SwitchboardError('not_found', `there is no registration of ${id} with this token`);
      const result = await run(write, (present, context) => {
        const draft = newDraft();
        const instance = present.instances.get(id)?.value;
        if (instance === undefined) return draft;
        replaceInstance(
          present,
          draft,
          drained(instance, present.services.get(instance.service)?.value, 'Deregistered', now(), write.now === true),
        );
        draft.report.push({ kind: 'Instance', name: id, action: 'deleted', diff: [] });
        addEvent(draft, context, {
          action: 'instance.deregister',
          subject: { kind: 'Instance', name: id, service: instance.service },
          message: `instance ${id} deregistered itself`,
        });
        return draft;
      });
      return result;
    },

    lostLeases: async () => leases.lost(),

    async writeInstances(writes) {
      if (writes.length === 0) return view.revision;
      const result = await run({ actor: 'controller' }, (present, context) => {
        const draft = newDraft();
        writeInstances(present, writes, context, draft);
        return draft;
      });
      return result.revision;
    },

    async note(event, write) {
      await run(write, (_, context) => {
        const draft = newDraft();
        addEvent(draft, context, event);
        return draft;
      });
    },
    events: async (filter) => eventLog.list(filter),
    subscribeEvents: (listener: (event: Event) => void) => eventLog.subscribe(listener),
    eventsHead: async () => chainOf(await store.get(CHAIN_KEY)).head,
    verifyEvents: async (noted) => verify((await store.list('')).records, noted),

    async close() {
      await queue.idle();
      stop.abort();
      await following;
      listeners.clear();
      view = emptyView;
    },
  };
  return registry;
}
