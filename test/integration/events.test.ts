/** The audit trail: who, what, why, before and after; found by filter, followed without gap or repeat, exported whole. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import type { Event } from '../../control-plane/src/model/event.ts';
import { isError } from '../../control-plane/src/model/errors.ts';
import { runCli } from '../support/cli.ts';
import { echoService, startWorld } from '../support/world.ts';

it('tells who changed what and why, to whoever asks, follows or exports', async () => {
  await using world = await startWorld({
    seed: [echoService('weather'), { kind: 'Service', name: 'maths', spec: { runtime: 'external' } }],
  });
  const { client } = world;
  const { revision } = await client
    .scale('maths', 3, { note: 'for the evening' })
    .catch(async () => client.patchService('maths', { labels: { team: '气象' } }, { note: 'for the evening' }));
  const { items } = await client.events({ kind: 'Service', service: 'maths', actor: 'admin', text: 'EVENING' });
  expect(items).toHaveLength(1);
  expect(items[0]).toMatchObject({ actor: 'admin', action: 'service.update', note: 'for the evening', revision });
  expect(items[0]?.requestId).toBeTruthy();
  expect([items[0]?.before, items[0]?.after].every((one) => one !== undefined)).toBe(true);
  const ready = await client.events({ action: 'instance.ready', service: 'weather' });
  expect(ready.items[0]).toMatchObject({ actor: 'controller', after: { state: 'ready' } });
  const created = await client.events({ action: 'service.create', service: 'weather' });
  expect(JSON.stringify(created.items[0]?.after)).toContain('(not shown)');
  expect(JSON.stringify(created.items)).not.toContain('echo-agent');

  // Followed in pieces, each going on after the last: together exactly the list.
  const followed: Event[] = [];
  let last: string | undefined;
  for (const count of [2, 3, 1]) {
    const stop = new AbortController();
    let left = count;
    await client.patchService('maths', { labels: { round: String(count) } });
    for await (const { data, id } of client.followEvents({ limit: 100 }, stop.signal, last)) {
      followed.push(data);
      last = id;
      left -= 1;
      if (left === 0) break;
    }
    stop.abort();
  }
  const all = (await client.events({ limit: 5000 })).items.toReversed();
  expect(followed.map(({ id }) => id)).toEqual(all.slice(0, followed.length).map(({ id }) => id));

  const pages: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.events({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
    pages.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  } while (cursor !== undefined);
  expect(pages).toEqual(all.map(({ id }) => id).toReversed());

  const exported = (await (await client.exportEvents()).text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
  expect(exported).toEqual(all.toReversed());
  const bad: unknown = await client.events({ since: 'soon' }).catch((error: unknown) => error);
  expect(isError(bad, 'invalid') && bad.issues[0]?.path).toBe('query.since');

  const file = join(world.folder, 'events.ndjson');
  expect((await runCli(world, ['events', 'export', '--service', 'maths', '--out', file])).code).toBe(0);
  expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(
    all.filter(({ subject }) => subject.name === 'maths').length,
  );
  const listed = await runCli(world, ['events', '--text', 'evening']);
  expect(listed.stdout).toContain('(for the evening)');
  const again = await runCli(world, ['events', 'export', '--out', file]);
  expect(again.code).not.toBe(0);

  // Killed amid writes: what was answered is there, and each event with its place in the chain.
  const writes = Promise.allSettled(
    Array.from({ length: 40 }, async (_, n) => client.patchService('maths', { labels: { n: String(n) } })),
  );
  await world.until('some were written', async () => (await client.events({ text: 'labels.n' })).items.length > 3);
  await world.killControlPlane();
  const answered = (await writes).filter(({ status }) => status === 'fulfilled').length;
  await world.startControlPlane();
  const verified = await runCli(world, ['events', 'verify']);
  expect(verified).toMatchObject({ code: 0, stderr: expect.stringMatching(/^\d+ events were checked\n$/) as string });
  const head = /^head (\d+:[0-9a-f]{64})\n$/.exec(verified.stdout)?.[1] ?? '';
  expect((await world.client.events({ text: 'labels.n', limit: 100 })).items.length).toBeGreaterThanOrEqual(answered);
  await world.client.patchService('maths', { labels: { after: 'restart' } });
  expect((await runCli(world, ['events', 'verify', '--head', head])).code).toBe(0);
  const newer = await runCli(world, ['events', 'head']);
  expect(newer.stdout).toMatch(/^\d+:[0-9a-f]{64}\n$/);
  const kept = join(world.folder, 'heads.txt');
  writeFileSync(kept, `${head}\n${newer.stdout}`);
  expect((await runCli(world, ['events', 'verify', '--head', `@${kept}`])).code).toBe(0);
  expect((await runCli(world, ['events', 'verify', '--head', `@${kept}.not`])).stderr).toContain('cannot read');
  expect(await runCli(world, ['events', 'verify', '--head', 'x'])).toMatchObject({ code: 2 });

  // Somebody who can write to the store changes what happened.
  await world.killControlPlane();
  const database = new DatabaseSync(join(world.data, 'switchboard.db'));
  const { changes } = database
    .prepare(
      "UPDATE records SET value = replace(value, 'evening', 'morning') WHERE key LIKE 'event/%' AND value LIKE '%evening%'",
    )
    .run();
  database.close();
  expect(changes).toBe(1);
  await world.startControlPlane();
  const forged = await runCli(world, ['events', 'verify', '-o', 'json']);
  expect(forged.code).toBe(7);
  expect(JSON.parse(forged.stdout)).toMatchObject({ ok: false, problems: [{ event: items[0]?.id }] });
  expect((await runCli(world, ['events', 'verify'])).stderr).toContain('does not fit its hash');
  expect((await runCli(world, ['doctor'])).stdout).toMatch(/events +FAIL/);
});
