/** What the hash chain of events costs: each event alone, and a durable commit of an event beside one without the chain. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EMPTY_CHAIN, chainOf, sealed, verify } from '../../control-plane/src/registry/chain.ts';
import { CHAIN_KEY, eventKey } from '../../control-plane/src/registry/keys.ts';
import { sqliteStore } from '../../control-plane/src/store/drivers/sqlite.ts';
import type { Change } from '../../control-plane/src/store/store.ts';
import { bounded, compared, median, type Figure } from './figure.ts';

const event = (n: number): Change => ({
  op: 'put',
  key: eventKey(`0mh2k3abc-${String(n).padStart(8, '0')}`),
  value: {
    kind: 'Event',
    id: `0mh2k3abc-${String(n).padStart(8, '0')}`,
    at: '2026-01-01T00:00:00.000Z',
    actor: 'controller',
    action: 'instance.ready',
    subject: { kind: 'Instance', name: 'weather-a1b2c', service: 'weather' },
    message: 'instance weather-a1b2c is ready: its probe passed',
    before: { state: 'starting', reason: 'Started', version: 3, restarts: 0 },
    after: { state: 'ready', reason: 'ProbePassed', version: 3, restarts: 0 },
  },
});

function nsEach(count: number): number {
  let chain = EMPTY_CHAIN;
  const events = Array.from({ length: count }, (_, n) => event(n));
  const begin = performance.now();
  for (const one of events) {
    const { changes } = sealed(chain, [one], []);
    const record = changes.find(({ key }) => key === CHAIN_KEY);
    if (record?.op === 'put') chain = chainOf({ value: record.value, revision: 1 });
  }
  return ((performance.now() - begin) * 1e6) / count;
}

export async function audit(quick: boolean): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sb-bench-audit-'));
  const open = async (name: string) =>
    sqliteStore.create(sqliteStore.options.parse({ path: join(folder, name) }), { now: Date.now });
  const [plain, chained] = [await open('plain.db'), await open('chained.db')];
  try {
    const alone = Array.from({ length: 5 }, () => nsEach(quick ? 5_000 : 20_000)).slice(1);
    const [ours, reference]: [number[], number[]] = [[], []];
    const commits = quick ? 100 : 400;
    let chain = EMPTY_CHAIN;
    for (let round = 0; round < 7; round += 1) {
      const numbers = Array.from({ length: commits }, (_, n) => round * commits + n);
      let begin = performance.now();
      for (const n of numbers) await plain.commit([event(n)]);
      reference.push(((performance.now() - begin) * 1000) / commits);
      begin = performance.now();
      for (const n of numbers) {
        const { changes, expect } = sealed(chain, [event(n)], []);
        const { revision, changes: done } = await chained.commit(changes, { expect });
        const record = done.find(({ key }) => key === CHAIN_KEY);
        if (record?.op === 'put') chain = chainOf({ value: record.value, revision });
      }
      ours.push(((performance.now() - begin) * 1000) / commits);
    }
    const { records } = await chained.list('');
    const begin = performance.now();
    const report = verify(records);
    const checking = ((performance.now() - begin) * 1e6) / report.checked;
    if (!report.ok) throw new Error(JSON.stringify(report.problems));
    return [
      bounded('audit: an event linked to the one before it', 'ns', median(alone), alone, 10_000),
      compared('audit: durable commit of one event, against one without the chain', 'us', ours, reference, 1.25),
      bounded('audit: an event checked', 'ns', checking, [checking], 10_000),
    ];
  } finally {
    await Promise.all([plain.close(), chained.close()]);
    rmSync(folder, { recursive: true });
  }
}
