/**
 * The stated bound, 128 MiB for 300 instances: a year of busy instances that are replaced all the time, on a simulated clock, in the real file.
 * A fifth of the instances here, and a fifth of the bound: the file grows with their number.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { sqliteSeries } from './drivers/sqlite.ts';
import { LEVELS, keptMs } from './levels.ts';
import { METRICS, type Labels } from './metrics.ts';
import { createRings, type SlotData } from './rings.ts';
import { emptySummary, note, type Slot } from './summary.ts';

const INSTANCES = 60;
const BOUND_BYTES = (128 * 2 ** 20 * INSTANCES) / 300;
const START = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

const folder = mkdtempSync(join(tmpdir(), 'sb-year-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Seeded, so that a failure can be looked at again. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

it('the file of a year stays below its bound', { timeout: 120_000 }, () => {
  const path = join(folder, 'history.db');
  const store = sqliteSeries(path);
  const rings = createRings(store, START);
  const random = randomFrom(7);
  const generations = new Map<string, Labels>();
  const labelsOf = (instance: number, at: number): Labels => {
    // A tenth of the fleet is replaced each day.
    const generation = Math.floor(at / DAY_MS / 10 + instance / 10);
    const key = `${instance} ${generation}`;
    let labels = generations.get(key);
    if (labels === undefined) {
      const service = `service-${instance % 100}`;
      labels = {
        service,
        version: String(generation),
        instance: `${service}-${key.replace(' ', '-')}`,
        gateway: 'gateway-1',
      };
      generations.set(key, labels);
    }
    return labels;
  };
  /** What a busy ten seconds bring, of which every one here is. */
  function slotAt(at: number): SlotData {
    const data: SlotData = new Map();
    for (const { name, kind } of METRICS) {
      const slot: Slot = new Map();
      for (let instance = 0; instance < INSTANCES; instance += 1) {
        // Failures are not everywhere.
        if (name.includes('fail') && instance % 10 !== 0) continue;
        const summary = emptySummary(kind);
        const values = kind === 'histogram' ? 4 : 1;
        for (let n = 0; n < values; n += 1) note(summary, Math.ceil(random() * (name === 'memory' ? 5e8 : 5e4)));
        if (kind === 'counter') summary.max = 0;
        slot.set(rings.names.idOf(labelsOf(instance, at)), summary);
      }
      data.set(name, slot);
    }
    data.set('coverage', new Map([[rings.names.idOf({}), { n: 1, sum: 10_000, max: 10_000, buckets: undefined }]]));
    return data;
  }
  /** Not every ten seconds of a year: such a distance that in the end every place of each ring was written. */
  function live(until: number, from: number, distanceMs: number): number {
    let at = from;
    for (; at < until; at += distanceMs) rings.finish(at, slotAt(at));
    return at;
  }
  const sizeNow = (): number => statSync(path).size + statSync(`${path}-wal`).size;

  let at = live(START + keptMs(LEVELS[2]), START, 3_610_000);
  // Every place of the two finer rings is taken.
  at = live(at + 100_000_000, at, 70_000);
  at = live(at + 7 * 3_600_000, at, 70_000);
  const full = sizeNow();
  live(START + 365 * DAY_MS, at, 13 * 3_610_000);
  expect(store.read(0, 'memory', 0, Infinity).length).toBe(LEVELS[0].slots);
  expect(store.read(1, 'memory', 0, Infinity).length).toBeGreaterThan(LEVELS[1].slots * 0.85);
  expect(store.read(2, 'memory', 0, Infinity).length).toBe(LEVELS[2].slots);
  expect(store.series().length).toBeLessThan(INSTANCES * 6);
  const after = sizeNow();
  store.close();
  expect({ full: full < BOUND_BYTES, after: after < BOUND_BYTES }, `${full} ${after} bytes`).toEqual({
    full: true,
    after: true,
  });
});
