/** When a lease is lost: over the memory store, with a clock of the test's own. */
import { expect, it } from 'vitest';
import { createLog } from '../log.ts';
import { memoryStore } from '../store/drivers/memory.ts';
import type { Store } from '../store/store.ts';
import { createRegistry } from './create.ts';
import type { Registry } from './registry.ts';

const TTL_MS = 3_000;
const by = { actor: 'ann' };

interface Bench {
  readonly registry: Registry;
  readonly pass: (ms: number) => void;
  readonly standStill: (ms: number) => void;
  /** The store answers nothing for so long. */
  readonly storeAway: (ms: number) => Promise<void>;
  readonly beat: (...ids: string[]) => Promise<void>;
}

async function withAgents(count: number): Promise<Bench> {
  let now = Date.parse('2026-01-01T00:00:00.000Z');
  let wokeAt = now;
  let away = false;
  const store = await memoryStore.create(memoryStore.options.parse({}), { now: () => now });
  const failing: Store = {
    ...store,
    leases: {
      ...store.leases,
      list: async (prefix) => (away ? Promise.reject(new Error('the store is away')) : store.leases.list(prefix)),
    },
  };
  const registry = await createRegistry({
    store: failing,
    now: () => now,
    wokeAt: () => wokeAt,
    log: createLog('silent'),
  });
  await registry.apply([{ kind: 'Service', name: 'remote', spec: { runtime: 'external' } }], by);
  for (let index = 0; index < count; index += 1) {
    const address = { host: '127.0.0.1', port: 9_000 + index };
    const registration = {
      service: 'remote',
      id: `r-${index}`,
      address,
      ttlSeconds: TTL_MS / 1_000,
      tags: {},
      weight: 1,
    };
    await registry.register(registration, by);
  }
  return {
    registry,
    pass(ms) {
      now += ms;
    },
    standStill(ms) {
      now += ms;
      wokeAt = now;
    },
    async storeAway(ms) {
      away = true;
      for (let passed = 0; passed < ms; passed += 1_000) {
        now += 1_000;
        await expect(registry.lostLeases()).rejects.toThrow('the store is away');
      }
      away = false;
    },
    async beat(...ids) {
      for (const id of ids) await registry.heartbeat(id, registry.view().instances.get(id)?.value.lease?.token ?? 0);
    },
  };
}

it('is lost when its agent alone is silent for its time', async () => {
  const { registry, pass, beat } = await withAgents(4);
  pass(2_000);
  await beat('r-0', 'r-1', 'r-2');
  pass(1_001);
  expect(await registry.lostLeases()).toEqual(['r-3']);
});

it('is not lost in a standstill, nor while the store is away, but one full time afterwards', async () => {
  const { registry, pass, standStill, storeAway, beat } = await withAgents(4);
  standStill(600_000);
  expect(await registry.lostLeases()).toEqual([]);
  pass(2_500);
  expect(await registry.lostLeases()).toEqual([]);
  await storeAway(6_000);
  expect(await registry.lostLeases()).toEqual([]);
  // A heartbeat that comes late is one all the same.
  await beat('r-0', 'r-1', 'r-2');
  pass(3_000);
  expect(await registry.lostLeases()).toEqual([]);
  await beat('r-0', 'r-1', 'r-2');
  pass(1);
  expect(await registry.lostLeases()).toEqual(['r-3']);
});

it('is not lost together with more than a third of all before a second look, one full time later', async () => {
  const { registry, pass, beat } = await withAgents(6);
  pass(TTL_MS + 1);
  expect(await registry.lostLeases()).toEqual([]);
  pass(TTL_MS - 1);
  await beat('r-0', 'r-1', 'r-2');
  expect(await registry.lostLeases()).toEqual([]);
  pass(1);
  expect(await registry.lostLeases()).toEqual(['r-3', 'r-4', 'r-5']);
});

it('comes back with a heartbeat as long as the instance is there', async () => {
  const { registry, beat } = await withAgents(1);
  const drain = {
    reason: 'LeaseLost',
    since: '2026-01-01T00:00:00.000Z',
    deadline: '2026-01-01T01:00:00.000Z',
    stopGrace: '30s',
  };
  await registry.writeInstances([{ op: 'update', id: 'r-0', patch: { state: 'draining', drain } }]);
  await expect(registry.heartbeat('r-0', 99)).rejects.toMatchObject({ code: 'not_found' });
  await beat('r-0');
  expect(registry.view().instances.get('r-0')?.value).toMatchObject({ state: 'ready' });
  expect(registry.view().instances.get('r-0')?.value.drain).toBeUndefined();
  expect((await registry.events({ limit: 5 })).find((event) => event.action === 'instance.undrain')).toMatchObject({
    actor: 'controller',
  });
});
