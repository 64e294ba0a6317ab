/** The session table as others see it: where a session was placed and why, how many an instance has, and the gateways' own counts. */
import { join } from 'node:path';
import { addressText } from '../model/address.ts';
import type { Log } from '../log.ts';
import type { Instance } from '../model/instance.ts';
import type { RegistryView } from '../registry/registry.ts';
import type { EndpointLoad } from '../telemetry/endpoint-load.ts';
import type { SeenSession } from '../telemetry/session.ts';
import { openSessionJournal, type SessionJournal } from '../telemetry/session-journal.ts';
import type { Placement, SessionTable } from '../telemetry/sessions.ts';
import { policyOfPool } from '../translate/pools.ts';
import type { Closers } from './closers.ts';

const EXPIRE_MS = 1_000;

/** Open sessions on an instance, as far as they are known. */
export function sessionsAtInstance(sessions: SessionTable): (instance: Instance) => number {
  return ({ address }) => (address === undefined ? 0 : sessions.openAt(addressText(address)));
}

const indexes = new WeakMap<object, ReadonlyMap<string, Instance>>();

/**
 * Instances by `ip:port`; of several that had the address one after the other, the one that is not leaving. Where nobody is, the one that
 * ended there last: Envoy tells of a session up to a second after it was opened, and its agent may have ended in that second.
 */
export function byAddress({ instances }: RegistryView): ReadonlyMap<string, Instance> {
  const kept = indexes.get(instances);
  if (kept !== undefined) return kept;
  const index = new Map<string, Instance>();
  for (const { value } of instances.values()) {
    if (value.address === undefined) continue;
    const upstream = addressText(value.address);
    if (index.get(upstream)?.drain === undefined && index.has(upstream)) continue;
    index.set(upstream, value);
  }
  const ends = new Map<string, Instance>();
  for (const { value } of instances.values()) {
    if (value.lastExit?.address === undefined) continue;
    const upstream = addressText(value.lastExit.address);
    if ((ends.get(upstream)?.lastExit?.at ?? '') < value.lastExit.at) ends.set(upstream, value);
  }
  for (const [upstream, value] of ends) if (!index.has(upstream)) index.set(upstream, value);
  indexes.set(instances, index);
  return index;
}

/** Where a session was placed, and why, from what the registry knows at that moment. */
export function placementOf(seen: SeenSession, view: RegistryView): Placement {
  const instance = byAddress(view).get(seen.told.upstream);
  const service = instance?.service ?? seen.cluster;
  const policy = policyOfPool(seen.cluster) ?? view.services.get(service)?.value.spec.gateway.policy.type ?? null;
  return {
    service,
    version: instance?.version ?? null,
    instance: instance?.id ?? null,
    policy,
    reason: reasonOf(seen, view, service, policy, instance),
    ...(seen.isNew ? {} : { heardLate: true as const }),
    ...(seen.attempts > 1 ? { retries: seen.attempts - 1 } : {}),
  };
}

function reasonOf(
  seen: SeenSession,
  view: RegistryView,
  service: string,
  policy: string | null,
  instance: Instance | undefined,
): string {
  if (!seen.isNew) return 'was open already when this control plane first heard of it';
  let ready = 0;
  for (const { value } of view.instances.values())
    if (value.service === service && value.state === 'ready' && value.drain === undefined) ready += 1;
  const route = seen.told.route === '' ? 'a route' : `route ${seen.told.route}`;
  const retries = seen.attempts > 1 ? `, after ${seen.attempts - 1} failed attempts at others` : '';
  return `${route} leads to ${service}; ${policy ?? 'its policy'} chose ${instance?.id ?? seen.told.upstream} of ${ready} ready${retries}`;
}

/** Writes down what is open as it opens and ends. */
export function keepJournal(folder: string, sessions: SessionTable, log: Log, closers: Closers): SessionJournal {
  const journal = openSessionJournal(join(folder, 'sessions.ndjson'), {
    open: () => sessions.list(),
    now: () => performance.now(),
    onError: (error) => {
      log.warn({ error }, 'open sessions can not be written down: after a restart they are known some seconds later');
    },
  });
  closers.add(() => {
    journal.close();
  });
  sessions.watch(({ type, session }) => {
    if (type === 'opened') journal.opened(session);
    else journal.ended(session.id);
  });
  return journal;
}

/** Compares the table with the load reports, and drops what was not heard of. `suspect` is told where requests hang. Returns what ends it. */
export function keepSessionsFresh(
  sessions: SessionTable,
  journal: Pick<SessionJournal, 'whole'>,
  load: EndpointLoad,
  suspect: (upstream: string) => void,
): () => void {
  const stop = load.subscribe(() => {
    const more = sessions.reported(load.open());
    // What an adopted gateway has not told of yet hangs nowhere.
    if (sessions.counts().settled) for (const upstream of more) suspect(upstream);
  });
  const timer = setInterval(() => {
    if (load.open() === undefined) sessions.reported(undefined);
    sessions.expire();
    if (sessions.counts().whole) journal.whole();
  }, EXPIRE_MS);
  timer.unref();
  return () => {
    stop();
    clearInterval(timer);
  };
}
