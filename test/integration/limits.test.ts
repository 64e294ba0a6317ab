/** What the machine refuses: ports, disk space, permissions. Each is told with a remedy, nothing is half done, and it goes on when there is room again. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isError } from '../../control-plane/src/model/errors.ts';
import { echoService, repository, startWorld } from '../support/world.ts';

/** A control plane that is to fail at its start. */
function start(data: string, wrapper: readonly string[] = []): { status: number | null; text: string } {
  const command = [...wrapper, process.execPath, join(repository, 'control-plane/src/main.ts')];
  const { status, stderr } = spawnSync(command[0] ?? '', command.slice(1), {
    encoding: 'utf8',
    timeout: 30_000,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'],
      SWITCHBOARD_DATA: data,
      SWITCHBOARD_API_PORT: '0',
      SWITCHBOARD_GATEWAY_PORT: '0',
      SWITCHBOARD_XDS_PORT: '0',
    },
  });
  return { status, text: stderr };
}

it('with no port left an agent waits, says why and what helps, and starts when one is free', async () => {
  const port = 30_000 + Math.floor(Math.random() * 900);
  const restart = { initialBackoff: '100ms', maxBackoff: '200ms', maxFailures: 3 };
  await using world = await startWorld({
    seed: [echoService('first'), echoService('second', { restart, replicas: 0 })],
    environment: { SWITCHBOARD_AGENTS_PORTS: `${port}-${port}` },
    waitReady: false,
  });
  await world.ready('first', 1);
  await world.client.scale('second', 1);
  // A lack of ports is no failure of the agent: it is tried on and on, and never taken for a crash loop.
  const waiting = await world.until(
    'it has tried more often than makes a crash loop',
    async () =>
      (await world.client.instances({ service: 'second' })).items.find(
        (one) => one.restarts > 3 && one.state === 'backoff',
      ),
    40_000,
  );
  expect(waiting).toMatchObject({ reason: 'Unavailable', failures: [] });
  expect(waiting.message).toContain(`all of ${port}-${port} on 127.0.0.1 are in use`);
  expect(waiting.message).toContain('SWITCHBOARD_AGENTS_PORTS');
  await world.client.stop('first', { now: true });
  await world.ready('second', 1);
});

it('a write that finds the disk full is refused with a remedy and changes nothing; with room again all goes on', async () => {
  await using world = await startWorld({ seed: [echoService('weather')] });
  const session = await world.open('weather');
  const { pid } = (await world.status()).controlPlane;
  const limit = (bytes: string): void => {
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`]);
  };
  const write = async (n: number): Promise<unknown> =>
    world.client
      .apply([
        { kind: 'Service', name: `pair-${n}-a`, spec: { runtime: 'external', description: 'x'.repeat(900) } },
        { kind: 'Service', name: `pair-${n}-b`, spec: { runtime: 'external', description: 'y'.repeat(900) } },
      ])
      .then(() => undefined)
      .catch((error: unknown) => error);
  // No file may grow beyond what the log of writes has now: to SQLite that is a disk that has become full.
  limit(String(statSync(join(world.data, 'switchboard.db-wal')).size));
  let failure: unknown;
  let refused = -1;
  for (let n = 0; n < 500 && failure === undefined; n += 1) {
    failure = await write(n);
    refused = n;
  }
  expect(isError(failure, 'unavailable') ? `${failure.message} ${failure.remedy ?? ''}` : failure).toMatch(
    /cannot write to .*switchboard\.db.*Free space on the disk/,
  );
  const names = async (): Promise<string[]> => (await world.client.services()).items.map((one) => one.name);
  expect((await names()).filter((name) => name.startsWith(`pair-${refused}-`))).toEqual([]);
  expect(await session.ask('still there?')).toBe('still there?');
  const another = await world.open('weather');
  await another.close();
  limit('unlimited');
  expect(await write(refused)).toBeUndefined();
  await world.killControlPlane();
  await world.startControlPlane();
  const after = await names();
  for (let n = 0; n <= refused; n += 1) expect(after).toEqual(expect.arrayContaining([`pair-${n}-a`, `pair-${n}-b`]));
  expect(await session.ask('and now?')).toBe('and now?');
  await session.close();
});

it('at a start a full disk, and a folder that can not be written are told with a remedy', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sb-limits-'));
  try {
    const full = start(join(folder, 'full'), ['prlimit', '--fsize=2000']);
    expect([full.status, full.text]).toEqual([
      1,
      expect.stringMatching(/error: cannot write to .*\n {2}remedy: Free space/),
    ]);

    const locked = join(folder, 'locked');
    mkdirSync(locked, { mode: 0o500 });
    // Root is held by permissions only without its capabilities.
    const plain = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];
    const refused = start(locked, plain);
    expect(refused.status).toBe(1);
    expect(refused.text).toMatch(
      /cannot write to the data folder .*permission denied.*\n {2}remedy: .*SWITCHBOARD_DATA/i,
    );
    chmodSync(locked, 0o700);
    expect(readdirSync(locked)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
