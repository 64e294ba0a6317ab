/**
 * Leases of agents that registered themselves: each is renewed by heartbeats, and given up only where the agent is silent, not this side. While this
 * process stood still or the store was away nobody could renew: each gets one full time afterwards. And if more than a third are silent at once the
 * cause is likely to be here, or on the way: they are looked at again one full time later.
 */
import type { Instance } from '../model/instance.ts';
import type { Lease, Store } from '../store/store.ts';
import type { RegistryView } from './registry.ts';

export interface LeasesOptions {
  readonly store: Pick<Store, 'leases'>;
  readonly view: () => RegistryView;
  readonly now: () => number;
  /** Milliseconds since the epoch: since then this process has been there without a standstill. */
  readonly wokeAt: () => number;
}

export interface Leases {
  /** Whoever comes with the same id from the same address is the same agent: its older lease is given up. Undefined: another holds it. */
  acquire(id: string, holder: string, ttlMs: number): Promise<Lease | undefined>;
  /** Also one that is over, as long as nobody else took it. Undefined: it is not the one of this token. */
  renew(instance: Instance | undefined, token: number): Promise<Lease | undefined>;
  /** Ids of instances whose lease is over. */
  lost(): Promise<string[]>;
}

const PREFIX = 'instance/';
/** An answer that took longer came of a store that was away. */
const SLOW_MS = 1_000;
const MOST_AT_ONCE = 1 / 3;

type Leased = Instance & { readonly lease: NonNullable<Instance['lease']> };

export function createLeases({ store, view, now, wokeAt }: LeasesOptions): Leases {
  let storeBackAt = 0;
  /** Since when each has been silent together with many others. */
  let doubted = new Map<string, number>();

  async function ask<T>(what: () => Promise<T>): Promise<T> {
    const begun = now();
    let answered = false;
    try {
      const answer = await what();
      answered = true;
      return answer;
    } finally {
      if (!answered || now() - begun > SLOW_MS) storeBackAt = now();
    }
  }

  return {
    acquire: async (id, holder, ttlMs) => ask(async () => store.leases.acquire(`${PREFIX}${id}`, holder, ttlMs)),
    async renew(instance, token) {
      const lease = instance?.lease;
      return lease?.token === token ? ask(async () => store.leases.renew(lease.name, token, lease.ttlMs)) : undefined;
    },
    async lost() {
      const leased = [...view().instances.values()]
        .map(({ value }) => value)
        .filter((one): one is Leased => one.lease !== undefined && one.drain === undefined);
      if (leased.length === 0) return [];
      const held = new Map((await ask(async () => store.leases.list(PREFIX))).map((lease) => [lease.name, lease]));
      const present = now();
      const graceFrom = Math.max(wokeAt(), storeBackAt);
      const silent = leased.filter(({ lease: { name, token, ttlMs } }) => {
        const own = held.get(name);
        return present > Math.max(own?.token === token ? own.expiresAt : 0, graceFrom + ttlMs);
      });
      const isMany = silent.length > leased.length * MOST_AT_ONCE;
      doubted = new Map(isMany ? silent.map(({ id }) => [id, doubted.get(id) ?? present]) : []);
      return silent.filter(({ id, lease: { ttlMs } }) => present - (doubted.get(id) ?? 0) >= ttlMs).map(({ id }) => id);
    },
  };
}
