/** Services that need each other, the hook before the stop, what instances use. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isError } from '../../control-plane/src/model/errors.ts';
import { echoService, startWorld } from '../support/world.ts';

it('a service waits for what it depends on, says so, and is told what it may not', async () => {
  await using world = await startWorld({
    seed: [echoService('back', { enabled: false }), echoService('front', { dependsOn: ['back'] })],
    waitReady: false,
  });
  const waiting = await world.until('it waits', async () =>
    (await world.client.instances({ service: 'front' })).items.find((one) => one.reason === 'WaitsForDependency'),
  );
  expect(waiting).toMatchObject({ state: 'pending', message: 'waits for service back, which is stopped' });
  await world.client.start('back');
  await world.ready('front', 1);
  const [front, back] = [
    (await world.client.instances({ service: 'front' })).items[0],
    (await world.client.instances({ service: 'back' })).items[0],
  ];
  expect(Date.parse(front?.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(back?.readyAt ?? ''));
  await world.until(
    'what it uses is known',
    async () => ((await world.client.instance(front?.id ?? '')).usage?.memoryBytes ?? 0) > 1_000_000,
  );
  const circle: unknown = await world.client
    .putService('back', echoService('back', { dependsOn: ['front'] }))
    .catch((error: unknown) => error);
  expect(isError(circle, 'invalid') ? circle.issues : circle).toEqual([
    { path: 'spec.dependsOn.0', message: 'leads in a circle: back -> front -> back' },
  ]);
  const needed: unknown = await world.client.deleteService('back').catch((error: unknown) => error);
  expect(isError(needed, 'conflict') ? needed.message : needed).toContain('front depends on service back');
});

it('a stop hook that is a command runs in the folder of its instance before the end; one that fails or hangs holds nothing up', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sb-stop-'));
  const stop = (script: string) => ({ stop: { command: ['sh', '-c', script, 'sh', '{instance}', '{port}'] } });
  await using world = await startWorld({
    seed: [
      // The agent still answers while its hook runs.
      echoService('tidy', {
        hooks: stop(
          `exec > ${folder}/out; echo $1 $2 $SWITCHBOARD_STOP_REASON; pwd; kill -0 $(cat ${folder}/pid) && echo runs`,
        ),
      }),
      echoService('broken', { hooks: stop('echo no space left >&2; exit 3') }),
      echoService('hung', { hooks: { ...stop('sleep 600'), timeout: '300ms' } }),
    ],
  });
  const [tidy] = (await world.client.instances({ service: 'tidy' })).items;
  writeFileSync(join(folder, 'pid'), String(tidy?.process?.pid));
  for (const name of ['tidy', 'broken', 'hung']) await world.client.stop(name);
  await world.until('all have ended', async () => (await world.client.instances()).items.length === 0);
  const [who, where, alive] = readFileSync(join(folder, 'out'), 'utf8').split('\n');
  expect(who).toBe(`${tidy?.id ?? ''} ${tidy?.address?.port ?? ''} Stopped`);
  expect(where).toMatch(new RegExp(`/instances/${tidy?.id ?? ''}/workdir$`));
  expect(alive).toBe('runs');
  const events = (await world.client.events({ limit: 100 })).items.map((event) => event.message);
  expect(events.some((message) => message.includes('its stop hook ended with code 3: no space left: it is'))).toBe(
    true,
  );
  expect(events.some((message) => message.includes('its stop hook did not end within 300 ms and was killed'))).toBe(
    true,
  );
  const mistaken: unknown = await world.client
    .apply([echoService('mistaken', { hooks: { stop: 'bye.sh' } })])
    .catch((thrown: unknown) => thrown);
  expect(isError(mistaken, 'invalid') ? mistaken.issues : mistaken).toEqual([
    {
      path: 'spec.hooks.stop',
      message: 'must be a URL that starts with http:// or https://, or {command: [program, arguments, ...]}',
    },
  ]);
  // Where no command can be run, that is told when it is applied.
  for (const more of [
    { runtime: 'docker', launch: { image: 'x:1' } },
    { runtime: 'external', launch: undefined },
  ]) {
    const document = echoService('elsewhere', { hooks: stop('true'), ...more });
    const error: unknown = await world.client.apply([document]).catch((thrown: unknown) => thrown);
    expect(isError(error, 'invalid') ? error.issues.map(({ path }) => path) : error).toContain(
      'spec.hooks.stop.command',
    );
  }
  rmSync(folder, { recursive: true });
});

it.concurrent('both hooks are called at every kind of end, also where the service itself is gone by then', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sb-ends-'));
  const told: { service: string; reason: string }[] = [];
  const listener = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      told.push(JSON.parse(body) as (typeof told)[number]);
      response.end();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const drain = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/drain`;
  const stop = {
    command: ['sh', '-c', `echo "$SWITCHBOARD_STOP_REASON $OWN" >> ${folder}/$0`, '{service}'],
  };
  const service = (name: string, spec: Record<string, unknown> = {}) =>
    ({
      ...echoService(name, { hooks: { drain, stop }, ...spec }),
    }) as { kind: string; name: string; spec: { launch: object } };
  const withEnv = (name: string, OWN: string, spec = {}) => {
    const document = service(name, spec);
    return { ...document, spec: { ...document.spec, launch: { ...document.spec.launch, env: { OWN } } } };
  };
  await using world = await startWorld({
    name: 'ends',
    seed: [
      withEnv('deleted', 'mine'),
      withEnv('drained-then-deleted', 'mine'),
      withEnv('newer', 'old'),
      withEnv('fewer', 'mine', { replicas: 2 }),
      withEnv('restarted', 'mine'),
      withEnv('aged', 'mine', { maxAge: '3s' }),
    ],
  });
  await world.client.apply([withEnv('pruned', 'mine')], { set: 'team' });
  await world.ready('pruned', 1);
  const held = await world.open('drained-then-deleted');
  await world.client.stop('drained-then-deleted');
  await Promise.all([
    world.client.deleteService('deleted'),
    world.client.deleteService('drained-then-deleted'),
    world.client.apply([withEnv('kept', 'mine')], { set: 'team', prune: true }),
    world.client.apply([withEnv('newer', 'new')]),
    world.client.scale('fewer', 1),
    world.client.restart('restarted'),
  ]);
  await held.close();
  const ended = {
    deleted: 'ServiceDeleted mine',
    'drained-then-deleted': 'Stopped mine',
    pruned: 'ServiceDeleted mine',
    newer: 'NewVersion old',
    fewer: 'ScaledDown mine',
    restarted: 'Restarted mine',
    aged: 'MaxAge mine',
  };
  const lines = (name: string): string[] => {
    const file = join(folder, name);
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  };
  await world.until('each has run its stop hook', async () => {
    const left = Object.keys(ended).filter((name) => lines(name).length === 0);
    if (left.length > 0) throw new Error(left.join(', '));
    return Promise.resolve(true);
  });
  expect(Object.fromEntries(Object.keys(ended).map((name) => [name, lines(name)[0]]))).toEqual(ended);
  for (const name of Object.keys(ended)) {
    if (name !== 'aged') expect(lines(name), name).toHaveLength(1);
    expect(
      told.some((one) => one.service === name && one.reason === ended[name as keyof typeof ended].split(' ')[0]),
      name,
    ).toBe(true);
  }
  listener.close();
  rmSync(folder, { recursive: true });
});

it('the stop hook is called after the drain and before the end, and one that hangs holds nothing up', async () => {
  const calls: { path: string; body: unknown }[] = [];
  const hook = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      calls.push({ path: request.url ?? '', body: JSON.parse(body) });
      if (request.url !== '/hang') response.end();
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}`;
  await using world = await startWorld({
    seed: [
      echoService('polite', { hooks: { stop: `${url}/stop?of={instance}` } }),
      echoService('hung', { hooks: { stop: `${url}/hang`, timeout: '300ms' } }),
    ],
  });
  const [polite] = (await world.client.instances({ service: 'polite' })).items;
  const pid = polite?.process?.pid ?? 0;
  await world.client.stop('polite');
  await world.client.stop('hung');
  await world.until('all have ended', async () => (await world.client.instances()).items.length === 0);
  expect(calls.find((call) => call.path.startsWith('/stop'))).toEqual({
    path: `/stop?of=${polite?.id ?? ''}`,
    body: { instance: polite?.id, service: 'polite', reason: 'Stopped' },
  });
  expect(() => process.kill(pid, 0)).toThrow();
  const events = (await world.client.events({ limit: 100 })).items.map((event) => event.message);
  expect(events.some((message) => message.includes('its stop hook did not answer within 300 ms'))).toBe(true);
  hook.closeAllConnections();
  hook.close();
});
