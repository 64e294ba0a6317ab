/** A store in memory, for tests and for trying things out: nothing outlives the process. */
import { z } from 'zod';
import { SwitchboardError } from '../../model/errors.ts';
import { checkChanges, lostRace } from '../check.ts';
import { createFeed } from '../feed.ts';
import type { Commit, Json, Lease, Store, StoreDriver, StoredRecord } from '../store.ts';

const Options = z.strictObject({ history: z.int().min(1).default(10_000) });
type Options = z.infer<typeof Options>;

interface Held {
  text: string;
  revision: number;
  created: number;
}

function parsed(key: string, held: Held): StoredRecord {
  return { key, value: JSON.parse(held.text) as Json, revision: held.revision, created: held.created };
}

export const memoryStore: StoreDriver<Options> = {
  name: 'memory',
  options: Options,
  async create({ history }, { now }): Promise<Store> {
    const records = new Map<string, Held>();
    const leases = new Map<string, Lease>();
    const commits: Commit[] = [];
    const feed = createFeed();
    let revision = 0;
    let tokens = 0;

    function present(name: string, token: number): Lease | undefined {
      const lease = leases.get(name);
      return lease?.token === token ? lease : undefined;
    }

    return {
      async get(key) {
        const held = records.get(key);
        return held === undefined ? undefined : parsed(key, held);
      },
      async list(prefix) {
        const keys = [...records.keys()]
          .filter((key) => key.startsWith(prefix))
          .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        return {
          revision,
          records: keys.flatMap((key) => {
            const held = records.get(key);
            return held === undefined ? [] : [parsed(key, held)];
          }),
        };
      },
      async commit(changes, { expect = [], fence } = {}) {
        const texts = checkChanges(changes);
        const lost = expect
          .filter(({ key, revision: wanted }) => (records.get(key)?.revision ?? 0) !== wanted)
          .map(({ key }) => key);
        if (fence !== undefined && (present(fence.lease, fence.token)?.expiresAt ?? 0) <= now()) lost.push(fence.lease);
        if (lost.length > 0) throw lostRace(lost);
        revision += 1;
        for (const [index, change] of changes.entries()) {
          if (change.op === 'delete') records.delete(change.key);
          else
            records.set(change.key, {
              text: texts[index] ?? '',
              revision,
              created: records.get(change.key)?.created ?? revision,
            });
        }
        const commit: Commit = {
          revision,
          changes: changes.map((change, index) =>
            change.op === 'put'
              ? { op: 'put', key: change.key, value: JSON.parse(texts[index] ?? '') as Json }
              : change,
          ),
        };
        commits.push(commit);
        if (commits.length > history) commits.shift();
        feed.announce();
        return commit;
      },
      watch(from, signal) {
        return feed.watch(from, signal, (after) => {
          const oldest = commits[0]?.revision ?? revision + 1;
          if (after + 1 < oldest) throw new SwitchboardError('compacted', `history before revision ${oldest} is gone`);
          return commits.slice(after + 1 - oldest);
        });
      },
      leases: {
        async acquire(name, holder, ttlMs) {
          const old = leases.get(name);
          const expired = old === undefined || old.expiresAt <= now();
          if (!expired && old.holder !== holder) return undefined;
          if (expired) tokens += 1;
          const lease: Lease = { name, holder, token: expired ? tokens : old.token, expiresAt: now() + ttlMs };
          leases.set(name, lease);
          return lease;
        },
        async renew(name, token, ttlMs) {
          const old = present(name, token);
          if (old === undefined) return undefined;
          const lease = { ...old, expiresAt: now() + ttlMs };
          leases.set(name, lease);
          return lease;
        },
        async release(name, token) {
          // Kept as expired rather than deleted: the next holder's token must be greater.
          const old = present(name, token);
          if (old !== undefined) leases.set(name, { ...old, expiresAt: 0 });
        },
        async list(prefix) {
          return [...leases.values()]
            .filter((lease) => lease.name.startsWith(prefix))
            .sort((a, b) => a.name.localeCompare(b.name));
        },
      },
      async close() {
        feed.close();
      },
    };
  },
};
