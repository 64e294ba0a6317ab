/** Every list of resources has pages, selectors, choice of fields, and a watch of one shape. */
import { expect, it } from 'vitest';
import type { ListEvent } from '../../control-plane/src/api/queries.ts';
import { isError } from '../../control-plane/src/model/errors.ts';
import { startWorld } from '../support/world.ts';

const service = (n: number): object => ({
  kind: 'Service',
  name: `s-${String(n).padStart(2, '0')}`,
  labels: { team: n % 2 === 0 ? 'sky' : 'sea' },
  spec: { runtime: 'external', addresses: [{ host: '127.0.0.1', port: 1000 + n, tags: { size: String(n % 3) } }] },
});

it('lists are paged, selected, cut to fields and watched alike', async () => {
  await using world = await startWorld({ seed: Array.from({ length: 10 }, (_, n) => service(n)), waitReady: false });
  const { client } = world;
  await world.until('all instances are there', async () => (await client.instances()).items.length === 10);

  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.services({ limit: 3, labels: 'team=sky', ...(cursor === undefined ? {} : { cursor }) });
    names.push(...page.items.map(({ name }) => name));
    cursor = page.next;
  } while (cursor !== undefined);
  expect(names).toEqual(['s-00', 's-02', 's-04', 's-06', 's-08']);
  expect((await client.instances({ labels: 'size!=0' })).items).toHaveLength(6);
  expect((await client.services({ fields: 'name,status.state', limit: 1 })).items).toEqual([
    { name: 's-00', status: { state: expect.any(String) as string } },
  ]);

  const stop = new AbortController();
  const seen: ListEvent[] = [];
  const watching = (async () => {
    for await (const event of client.watch(
      'services',
      { labels: 'team=sky', fields: 'name,spec.replicas' },
      stop.signal,
    ))
      seen.push(event);
  })().catch(() => undefined);
  await world.until('all were told', async () => seen.at(-1)?.event === 'synced');
  expect(seen).toHaveLength(6);
  await client.patchService('s-02', { spec: { replicas: 7 } });
  await client.patchService('s-03', { spec: { replicas: 7 } });
  await client.patchService('s-04', { labels: { team: 'sea' } });
  await client.deleteService('s-06', { now: true });
  await world.until('the changes were told', async () => seen.length >= 9);
  stop.abort();
  await watching;
  expect(
    seen
      .slice(6)
      .map(({ event, id }) => `${event} ${id ?? ''}`)
      .sort(),
  ).toEqual(['gone s-04', 'gone s-06', 'item s-02']);

  for (const [query, path] of [
    [{ labels: '=x' }, 'query.labels'],
    [{ fields: 'a..b' }, 'query.fields'],
    [{ fields: 'name,status.stat' }, 'query.fields'],
    [{ limit: 0 }, 'query.limit'],
  ] as const) {
    const error: unknown = await client.services(query).catch((thrown: unknown) => thrown);
    expect(isError(error, 'invalid') && error.issues[0]?.path, JSON.stringify(query)).toBe(path);
  }
  const mistyped: unknown = await client.routes({ fields: 'nmae' }).catch((thrown: unknown) => thrown);
  expect(isError(mistyped) && mistyped.message).toContain('there is no field nmae. Did you mean name?');
});
