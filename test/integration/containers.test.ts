/** Agents in containers of a real engine, behind the real Envoy: sessions, kills of the control plane, an engine that goes and comes. */
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { IMAGE, startContainerEngine } from '../support/container-engine.ts';
import { echoService, repository, startWorld } from '../support/world.ts';

/** The programs of this machine, so that no image with Node is needed. */
const MOUNTS = ['/lib', '/lib64', '/usr/lib', repository]
  .filter((path) => existsSync(path))
  .map((path) => ({ source: path, target: path }));

function boxed(name: string, spec: Record<string, unknown> = {}): Record<string, unknown> {
  const { spec: base } = echoService(name) as { spec: { launch: { command: string[] }; probe: object } };
  const launch = { ...base.launch, image: IMAGE, options: { mounts: MOUNTS } };
  const restart = { initialBackoff: '100ms' };
  return { kind: 'Service', name, spec: { ...base, runtime: 'docker', launch, restart, ...spec } };
}

it('a container serves sessions through the gateway, through kills of the control plane and of the engine', async () => {
  await using engine = await startContainerEngine();
  await using world = await startWorld({ seed: [boxed('box')], environment: { DOCKER_HOST: engine.address } });
  const session = await world.open('box');
  expect(await session.ask('x')).toBe('x');
  const containers = async () =>
    (await engine.docker.listContainers({ all: true, filters: { label: ['io.switchboard.service'] } })).map(
      (one) => one.Id,
    );
  const [container = ''] = await containers();
  const instance = async () => (await world.client.instances({ service: 'box' })).items[0];
  const before = await instance();

  await world.killControlPlane();
  await world.startControlPlane();
  await world.ready('box', 1);
  expect(await instance()).toMatchObject({ id: before?.id, process: before?.process, restarts: 0 });
  expect(await containers()).toEqual([container]);

  if (engine.isOwn) {
    await engine.stop();
    await world.until('it is told', async () => ((await instance())?.conditions.length ?? 0) > 0);
    expect(await instance()).toMatchObject({
      state: 'ready',
      conditions: [{ type: 'RuntimeReachable', status: 'false', reason: 'RuntimeUnreachable' }],
    });
    const during = await world.open('box');
    expect(await during.ask('y')).toBe('y');
    await during.close();
    // A control plane that starts while the engine is away believes nothing ended, either.
    await world.killControlPlane();
    await world.startControlPlane();
    await world.until('it is told again', async () => ((await instance())?.conditions.length ?? 0) > 0);
    expect(await instance()).toMatchObject({ state: 'ready', process: before?.process });
    await engine.start();
    await world.until('it is back', async () => (await instance())?.conditions.length === 0);
  }
  expect(await session.ask('still here')).toBe('still here');
  expect(await containers()).toEqual([container]);

  await engine.docker.getContainer(container).kill({ signal: 'SIGKILL' });
  await world.until('it is started again', async () => {
    const now = await instance();
    return now?.state === 'ready' && now.restarts === 1;
  });
  expect((await instance())?.lastExit?.code).toBe(137);

  await world.killControlPlane();
  await engine.docker.getContainer((await containers())[0] ?? '').remove({ force: true });
  await world.startControlPlane();
  await world.until('a removed one is replaced', async () => {
    const now = await instance();
    return now?.state === 'ready' && now.restarts === 2;
  });

  const missing = boxed('missing') as { spec: { launch: object } };
  await world.client.putService('missing', {
    ...missing,
    spec: {
      ...missing.spec,
      launch: { ...missing.spec.launch, image: 'localhost/none:1', options: { pull: 'never' } },
    },
  });
  const failed = await world.until('the image is missed', async () =>
    (await world.client.instances({ service: 'missing' })).items.find((one) => one.state === 'backoff'),
  );
  expect(failed).toMatchObject({ reason: 'BadLaunch' });
  expect(failed.message).toContain('there is no image localhost/none:1');
  await world.client.deleteService('missing', { now: true });
  await world.client.deleteService('box', { now: true });
  await world.until('nothing is left', async () => (await containers()).length === 0);
}, 120_000);

it('a control plane that is killed while it starts containers goes on with each exactly once', async () => {
  await using engine = await startContainerEngine();
  await using world = await startWorld({
    seed: [boxed('many', { replicas: 3 })],
    environment: { DOCKER_HOST: engine.address },
    waitReady: false,
  });
  for (let round = 0; round < 3; round += 1) {
    await world.killControlPlane();
    await world.startControlPlane();
  }
  await world.ready('many', 3);
  const { items } = await world.client.instances({ service: 'many' });
  const found = await engine.docker.listContainers({ all: true, filters: { label: ['io.switchboard.service=many'] } });
  expect(found.map((one) => one.Labels['io.switchboard.instance']).sort()).toEqual(items.map((one) => one.id));
  expect(found.map((one) => one.State)).toEqual(['running', 'running', 'running']);
}, 120_000);
