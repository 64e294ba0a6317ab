/** The session table as others see it: where a session was placed and why, how many an instance has, and the gateways' own counts. */
import { join } from 'node:path';
import type { EnvoySupervisor } from '@switchboard/envoy';
import { addressText } from '../model/address.ts';
import type { Log } from '../log.ts';
import type { Instance } from '../model/instance.ts';
import type { RegistryView } from '../registry/registry.ts';
import type { EndpointLoad } from '../telemetry/endpoint-load.ts';
import type { SeenSession } from '../telemetry/session.ts';
import { openSessionJournal, type SessionJournal } from '../telemetry/session-journal.ts';
import type { Placement, SessionTable } from '../telemetry/sessions.ts';
import { policyOfPool, serviceOfCluster } from '../translate/pools.ts';
import type { Closers } from './closers.ts';
import { NODE_ID } from './settings.ts';

const EXPIRE_MS = 1_000;

/** Open sessions on an instance, as far as they are known. */
export function sessionsAtInstance(sessions: SessionTable): (instance: Instance) => number {
  return ({ service, address }) => (address === undefined ? 0 : sessions.openAt(service, addressText(address)));
}

interface Addresses {
  /** By `ip:port`, and by service and `ip:port`. */
  readonly one: ReadonlyMap<string, Instance>;
  /** Services may share an agent: an address can be that of an instance of each. */
  readonly all: ReadonlyMap<string, readonly Instance[]>;
}
const indexes = new WeakMap<object, Addresses>();

/**
 * Of several that had the address one after the other, the one that is not leaving. Where nobody is, the one that ended there last: Envoy tells of a
 * session up to a second after it was opened, and its agent may have ended in that second.
 */
function addressesIn({ instances }: RegistryView): Addresses {
  const kept = indexes.get(instances);
  if (kept !== undefined) return kept;
  const one = new Map<string, Instance>();
  const all = new Map<string, Instance[]>();
  const ends = new Map<string, Instance>();
  for (const { value } of instances.values()) {
    if (value.address !== undefined) {
      const upstream = addressText(value.address);
      for (const key of [upstream, `${value.service} ${upstream}`])
        if (one.get(key)?.drain !== undefined || !one.has(key)) one.set(key, value);
      all.set(upstream, [...(all.get(upstream) ?? []), value]);
    }
    if (value.lastExit?.address === undefined) continue;
    const upstream = addressText(value.lastExit.address);
    for (const key of [upstream, `${value.service} ${upstream}`])
      if ((ends.get(key)?.lastExit?.at ?? '') < value.lastExit.at) ends.set(key, value);
  }
  for (const [key, value] of ends) if (!one.has(key)) one.set(key, value);
  const found = { one, all };
  indexes.set(instances, found);
  return found;
}

/** Every instance whose address it is. */
export function allAt(view: RegistryView, upstream: string): readonly Instance[] {
  return addressesIn(view).all.get(upstream) ?? [];
}

/** Whose address it is for those who came through this cluster. */
export function instanceAt(view: RegistryView, cluster: string, upstream: string): Instance | undefined {
  const service = serviceOfCluster(cluster);
  return addressesIn(view).one.get(service === '' ? upstream : `${service} ${upstream}`);
}

/** Where a session was placed, and why, from what the registry knows at that moment. */
export function placementOf(seen: SeenSession, view: RegistryView): Placement {
  const instance = instanceAt(view, seen.cluster, seen.told.upstream);
  const service = instance?.service ?? serviceOfCluster(seen.cluster);
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

/**
 * Compares the table with the load reports and with the count of this machine's `gateway`, and drops what was not heard of. `suspect` is told where
 * requests hang. Returns what ends it.
 */
export function keepSessionsFresh(
  sessions: SessionTable,
  journal: Pick<SessionJournal, 'whole'>,
  load: EndpointLoad,
  gateway: Pick<EnvoySupervisor, 'formerIdentity' | 'openSessions'>,
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
    // One that was replaced has sessions of its own, which the new one does not count.
    if (!sessions.counts().settled && gateway.formerIdentity() === '')
      void gateway.openSessions().then((open) => {
        if (open !== undefined) sessions.counted(NODE_ID, open);
      });
    if (sessions.counts().whole) journal.whole();
  }, EXPIRE_MS);
  timer.unref();
  return () => {
    stop();
    clearInterval(timer);
  };
}
