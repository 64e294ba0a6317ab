/** The settings' hosts: all addresses of both families, those of IPv6 alone, and a name. What is printed can be connected to, and `doctor` agrees. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createClient } from '../../control-plane/src/api/client.ts';
import { hostPort } from '../../control-plane/src/model/address.ts';
import { runCli } from '../support/cli.ts';
import { openSession } from '../support/sessions.ts';
import { echoService, startWorld } from '../support/world.ts';

interface Case {
  readonly host: string;
  /** Hosts at which all that listens must be found. */
  readonly found: readonly string[];
  /** The one that is printed. */
  readonly printed: string;
}

const CASES: readonly Case[] = [
  { host: '::', found: ['127.0.0.1', '::1'], printed: '127.0.0.1' },
  { host: '0.0.0.0', found: ['127.0.0.1'], printed: '127.0.0.1' },
  { host: '::1', found: ['::1'], printed: '::1' },
  { host: 'localhost', found: ['127.0.0.1'], printed: '127.0.0.1' },
];

async function lookAt({ host, found, printed }: Case): Promise<void> {
  await using folder = { path: await mkdtemp(join(tmpdir(), 'sb-hosts-')), [Symbol.asyncDispose]: remove };
  async function remove(this: { path: string }): Promise<void> {
    await rm(this.path, { recursive: true });
  }
  const settings = join(folder.path, 'switchboard.yaml');
  writeFileSync(settings, JSON.stringify({ agents: { host } }));
  await using world = await startWorld({
    seed: [echoService('weather', {}, ['--host', '{host}'])],
    environment: {
      SWITCHBOARD_SETTINGS: settings,
      SWITCHBOARD_GATEWAY_HOST: host,
      SWITCHBOARD_API_HOST: host,
      SWITCHBOARD_XDS_HOST: host,
    },
  });
  const { gateway, api } = await world.status();
  expect([gateway.url, api.url]).toEqual([
    `ws://${hostPort(printed, gateway.port)}`,
    `http://${hostPort(printed, api.port)}`,
  ]);
  for (const at of found) {
    const session = await openSession(`ws://${hostPort(at, gateway.port)}/agents/weather`);
    expect(await session.ask('x')).toBe('x');
    // An IPv4 client is one, however it came in: rules and limits go by its address.
    const { items } = await world.until('the session is known', async () => {
      const sessions = await world.client.sessions();
      return sessions.items.length === 1 && sessions;
    });
    expect(items[0]?.client).toMatch(at === '::1' ? /^\[::1\]:\d+$/ : /^127\.0\.0\.1:\d+$/);
    await session.close();
    await world.until('it is over', async () => (await world.client.sessions()).items.length === 0);
    const there = createClient({ url: `http://${hostPort(at, api.port)}`, token: world.token });
    expect((await there.instances()).items[0]?.address?.host).toBe(printed);
  }
  const told = await runCli(world, ['doctor']);
  expect(told.stdout).not.toContain('FAIL');
  expect(told.code).toBe(0);
  const said = await runCli(world, ['connect', 'weather', '-m', 'hi']);
  expect(said.stdout).toContain('hi');
}

it('whatever the host, what listens is found, and what is printed can be connected to', async () => {
  // One after the other each would take three seconds.
  await Promise.all(CASES.map(lookAt));
}, 60_000);
