/**
 * Law 5: what was acknowledged is there after kill -9 at any moment, and nothing is half there. A child commits without pause and prints each
 * acknowledged commit; it is killed at a seeded moment, again and again, on one and the same file. SWITCHBOARD_CHAOS=long runs ten times as many.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sqliteStore } from '../../control-plane/src/store/drivers/sqlite.ts';

const ROUNDS = process.env['SWITCHBOARD_CHAOS'] === 'long' ? 2_000 : 200;
const SEED = Number(process.env['SWITCHBOARD_SEED_NUMBER'] ?? 20_261_124);
const LANES = 4;

const driver = new URL('../../control-plane/src/store/drivers/sqlite.ts', import.meta.url).href;
const CHILD = `
  const { sqliteStore } = await import(${JSON.stringify(driver)});
  const store = await sqliteStore.create(sqliteStore.options.parse({ path: process.argv[1] }), { now: Date.now });
  const round = process.argv[2];
  process.stdout.write('open\\n');
  for (let n = 0; ; n += 1) {
    const mark = round + '-' + n;
    const changes = Array.from({ length: 1 + (n % 5) }, (_, k) => ({ op: 'put', key: 'pair/' + mark + '/' + k, value: { mark, of: 1 + (n % 5) } }));
    const { revision } = await store.commit(changes);
    process.stdout.write(revision + ' ' + mark + ' ' + changes.length + '\\n');
  }`;

it(`survives ${ROUNDS} kills (seed ${SEED})`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sb-chaos-'));
  let seed = SEED;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  const acknowledged = Array.from({ length: LANES }, () => new Map<string, number>());
  const lastRevision = Array.from({ length: LANES }, () => 0);

  async function round(lane: number, number: number): Promise<void> {
    const path = join(folder, `lane-${lane}`, 'switchboard.db');
    const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD, path, String(number)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    const opened = new Promise<void>((resolve) => {
      child.stdout.on('data', (part: Buffer) => {
        text += part.toString();
        if (text.startsWith('open\n')) resolve();
      });
      child.once('exit', () => {
        resolve();
      });
    });
    const closed = new Promise((resolve) => child.once('close', resolve));
    // Some are killed while they open the file, others after some commits.
    if (number % 5 !== 0) await opened;
    await new Promise((resolve) => setTimeout(resolve, random(60)));
    child.kill('SIGKILL');
    await closed;
    for (const line of text.split('\n').slice(1, -1)) {
      const [revision, mark = '', count] = line.split(' ');
      acknowledged[lane]?.set(mark, Number(count));
      expect(Number(revision)).toBeGreaterThan(lastRevision[lane] ?? 0);
      lastRevision[lane] = Number(revision);
    }
    const store = await sqliteStore.create(sqliteStore.options.parse({ path }), { now: () => Date.now() });
    const { records, revision } = await store.list('pair/');
    expect(revision).toBeGreaterThanOrEqual(lastRevision[lane] ?? 0);
    lastRevision[lane] = revision;
    const found = Map.groupBy(records, (record) => (record.value as { mark: string }).mark);
    for (const [mark, group] of found)
      expect(group, `commit ${mark} is whole`).toHaveLength((group[0]?.value as { of: number }).of);
    for (const [mark, count] of acknowledged[lane] ?? [])
      expect(found.get(mark)?.length, `acknowledged commit ${mark} is there`).toBe(count);
    // The file is kept small, and commits of earlier rounds need not be checked for ever.
    if (records.length > 2_000) {
      for (let start = 0; start < records.length; start += 500)
        lastRevision[lane] = (
          await store.commit(records.slice(start, start + 500).map(({ key }) => ({ op: 'delete', key })))
        ).revision;
      acknowledged[lane]?.clear();
    }
    await store.close();
  }

  await Promise.all(
    Array.from({ length: LANES }, async (_, lane) => {
      for (let number = lane; number < ROUNDS; number += LANES) await round(lane, number);
    }),
  );
  rmSync(folder, { recursive: true, force: true });
}, 1_800_000);
