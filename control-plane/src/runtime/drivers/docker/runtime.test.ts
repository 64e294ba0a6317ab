import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IMAGE, startContainerEngine, type ContainerEngine } from '../../../../../test/support/container-engine.ts';
import { isError } from '../../../model/errors.ts';
import { Launch, ServiceSpec } from '../../../model/service.ts';
import { runtimeConformance } from '../../conformance.ts';
import { createPortAllocator } from '../../ports.ts';
import type { LogLine } from '../../../model/log-line.ts';
import type { Runtime, RuntimeEvent } from '../../runtime.ts';
import { containerName } from './container.ts';
import { dockerRuntime } from './runtime.ts';

const root = mkdtempSync(join(tmpdir(), 'sb docker '));
const never = new AbortController().signal;
const silent = { info: () => undefined, warn: () => undefined };
const ports = createPortAllocator('127.0.0.1', [32_000, 32_200]);
let engine: ContainerEngine;

const shell = (script: string, more: object = {}): Launch =>
  Launch.parse({ image: IMAGE, command: ['sh', '-c', script], ...more });
/** `sh` as the first process of a container obeys no signal that it does not trap. */
const STEADY = "trap 'exit 0' TERM; echo hello; echo ready >&2; while :; do sleep 0.1; done";

async function open(folder: string, environment: Record<string, string> = {}): Promise<Runtime> {
  return dockerRuntime.create(dockerRuntime.options.parse({}), {
    folder: join(root, folder),
    host: '127.0.0.1',
    ports,
    logs: { maxBytes: 1_000_000, files: 2 },
    now: () => Date.now(),
    log: silent,
    environment: { DOCKER_HOST: engine.address, ...environment },
  });
}

beforeAll(async () => {
  engine = await startContainerEngine();
}, 180_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

runtimeConformance('docker', {
  open: async () => open('kit'),
  steady: shell(STEADY),
  stubborn: shell('while :; do sleep 0.1; done'),
  failing: shell('echo last words >&2; exit 7'),
  impossible: Launch.parse({ image: 'localhost/no-such-image:1', options: { pull: 'never' } }),
});

async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; round < 800; round += 1) {
    if (await check()) return;
    await sleep(25);
  }
  throw new Error('it did not come about');
}

async function linesOf(runtime: Runtime, instance: string): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for await (const line of runtime.logs(instance, { tail: 1000, follow: false, signal: never })) lines.push(line);
  return lines;
}

async function containersOf(label: string): Promise<string[]> {
  const found = await engine.docker.listContainers({ all: true, filters: { label: [label] } });
  return found.map((one) => one.Id);
}

describe('a container', () => {
  it('gets variables, secrets and limits, and no secret stands in a label or, as a file, in its configuration', async () => {
    const secret = join(root, 'secret.txt');
    writeFileSync(secret, 'from-file-s3cret\n');
    const runtime = await open('env', { MODEL_KEY: 'from-env-s3cret' });
    const env = { PLAIN: 'x-{port}', KEY: { fromEnv: 'MODEL_KEY' }, FILE: { fromFile: secret } };
    const limits = { memory: '64MiB', cpus: 0.5, cpuWeight: 50, processes: 40 };
    const script = 'echo "$PLAIN|$KEY|$FILE|$FILE_FILE"; echo "$(cat "${FILE_FILE:-/dev/null}")"; sleep 60';
    const one = await runtime.start(
      { instance: 'e-1', service: 'weather', version: 3, launch: shell(script, { env, limits }) },
      never,
    );
    const two = await runtime.start(
      {
        instance: 'e-2',
        service: 'weather',
        version: 3,
        launch: shell(script, { env, options: { secrets: 'files' } }),
      },
      never,
    );
    await until(async () => (await linesOf(runtime, 'e-2')).length >= 2 && (await linesOf(runtime, 'e-1')).length >= 2);
    expect((await linesOf(runtime, 'e-1')).map((line) => line.text)).toEqual([
      `x-${one.address.port}|from-env-s3cret|from-file-s3cret|`,
      '',
    ]);
    expect((await linesOf(runtime, 'e-2')).map((line) => line.text)).toEqual([
      `x-${two.address.port}|||/run/secrets/FILE`,
      'from-file-s3cret',
    ]);
    const [first = '', second = ''] = [
      ...(await containersOf('io.switchboard.instance=e-1')),
      ...(await containersOf('io.switchboard.instance=e-2')),
    ];
    const inspected = await engine.docker.getContainer(first).inspect();
    expect(JSON.stringify(inspected.Config.Labels)).not.toContain('s3cret');
    expect(inspected.Config.Labels).toMatchObject({
      'io.switchboard.service': 'weather',
      'io.switchboard.version': '3',
      'io.switchboard.port': String(one.address.port),
    });
    expect(inspected.HostConfig).toMatchObject({ Memory: 64 * 1024 * 1024, PidsLimit: 40 });
    expect(JSON.stringify(await engine.docker.getContainer(second).inspect())).not.toContain('s3cret');
    const usage = await runtime.usage?.();
    expect(usage?.get('e-1')?.memoryBytes).toBeGreaterThan(0);
    expect(usage?.get('e-1')?.processes).toBeGreaterThan(0);
    for (const instance of ['e-1', 'e-2']) {
      await runtime.stop(instance, { graceMs: 0 });
      await runtime.remove(instance);
    }
    expect(await containersOf('io.switchboard.service=weather')).toEqual([]);
    expect(existsSync(join(root, 'env', 'e-2'))).toBe(false);
    await runtime.close();
  }, 30_000);

  it('that was created but not started is cleared away, and what ended while nobody watched is told with its code', async () => {
    const folder = 'left';
    const first = await open(folder);
    await first.start(
      { instance: 'l-1', service: 's', version: 1, launch: shell('sleep 0.5; echo gone; exit 9') },
      never,
    );
    await first.close();
    const [running = ''] = await containersOf('io.switchboard.instance=l-1');
    const { Config } = await engine.docker.getContainer(running).inspect();
    const created = await engine.docker.createContainer({
      name: `left-over-${process.pid}`,
      Image: IMAGE,
      Cmd: ['sh'],
      Labels: { ...Config.Labels, 'io.switchboard.instance': 'l-2' },
    });
    await until(async () => !(await engine.docker.getContainer(running).inspect()).State.Running);
    const second = await open(folder);
    expect(await second.list()).toMatchObject([{ instance: 'l-1', exit: { code: 9, log: ['gone'] } }]);
    expect(await second.list()).toEqual([]);
    await expect(created.inspect()).rejects.toMatchObject({ statusCode: 404 });
    await second.remove('l-1');
    await second.close();
  }, 30_000);

  it('that somebody else removes has ended, and is told so', async () => {
    const runtime = await open('removed');
    const events: RuntimeEvent[] = [];
    runtime.watch((event) => events.push(event));
    await runtime.start({ instance: 'r-1', service: 's', version: 1, launch: shell(STEADY) }, never);
    const [id = ''] = await containersOf('io.switchboard.instance=r-1');
    await engine.docker.getContainer(id).remove({ force: true });
    await until(() => events.some((event) => event.type === 'exited'));
    expect(events.filter((event) => event.type === 'exited')).toHaveLength(1);
    const again = await runtime.start({ instance: 'r-1', service: 's', version: 1, launch: shell(STEADY) }, never);
    expect((await runtime.list()).map((one) => one.process)).toEqual([again.process]);
    await runtime.stop('r-1', { graceMs: 0 });
    await runtime.remove('r-1');
    await runtime.close();
  }, 30_000);

  it('is followed through an engine that goes and comes: nothing ends, no line is lost, nothing is started twice', async () => {
    if (!engine.isOwn) return;
    const runtime = await open('away');
    const events: RuntimeEvent[] = [];
    runtime.watch((event) => events.push(event));
    const request = {
      instance: 'a-1',
      service: 's',
      version: 1,
      launch: shell("trap 'exit 0' TERM; n=0; while :; do n=$((n+1)); echo $n; sleep 0.1; done"),
    };
    const started = await runtime.start(request, never);
    const stop = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const line of runtime.logs('a-1', { tail: 1000, follow: true, signal: stop.signal }))
        seen.push(Number(line.text));
    })();
    await until(() => seen.length > 5);
    await engine.stop();
    await until(() => events.some((event) => event.type === 'unreachable'));
    const refused: unknown = await runtime
      .start({ ...request, instance: 'a-2' }, never)
      .catch((error: unknown) => error);
    expect(isError(refused, 'unavailable')).toBe(true);
    await expect(runtime.list()).rejects.toMatchObject({ code: 'unavailable' });
    await engine.start();
    await until(() => events.some((event) => event.type === 'reachable'));
    const before = seen.at(-1) ?? 0;
    await until(() => (seen.at(-1) ?? 0) > before + 10);
    stop.abort();
    await reading;
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => index + 1));
    expect(events.filter((event) => event.type === 'exited')).toEqual([]);
    expect((await runtime.start(request, never)).process).toEqual(started.process);
    expect(await containersOf('io.switchboard.instance=a-1')).toHaveLength(1);
    await runtime.stop('a-1', { graceMs: 2_000 });
    await runtime.remove('a-1');
    await runtime.close();
  }, 60_000);

  it('that forks without end is held by its limit', async () => {
    const runtime = await open('bomb');
    const events: RuntimeEvent[] = [];
    runtime.watch((event) => events.push(event));
    const script = 'n=0; while [ $n -lt 60 ]; do sleep 30 & n=$((n+1)); done; echo done; wait';
    await runtime.start(
      { instance: 'b-1', service: 's', version: 1, launch: shell(script, { limits: { processes: 20 } }) },
      never,
    );
    // Its shell gives up at the first fork that fails.
    await until(() => events.some((event) => event.type === 'exited'));
    expect(events.find((event) => event.type === 'exited')).toMatchObject({ code: 2 });
    await runtime.remove('b-1');
    await runtime.close();
  }, 30_000);
});

describe('what can not be', () => {
  it.each([
    [{ image: IMAGE, command: ['no-such-program'] }, 'spec.launch.command.0', 'command not found'],
    [{ image: IMAGE, env: { K: { fromEnv: 'NOT_SET_HERE' } } }, 'spec.launch.env.K', 'no environment variable'],
    [{ image: 'localhost/none:1' }, 'spec.launch.image', 'can not be pulled'],
  ])(
    'is told with its field at the start: %j',
    async (launch, path, message) => {
      const runtime = await open('bad');
      const error: unknown = await runtime
        .start({ instance: 'bad', service: 's', version: 1, launch: Launch.parse(launch) }, never)
        .catch((thrown: unknown) => thrown);
      expect(isError(error, 'invalid') ? error.issues[0] : error).toMatchObject({ path });
      expect(String(error)).toContain(message);
      expect(await containersOf('io.switchboard.instance=bad')).toEqual([]);
      await runtime.close();
    },
    30_000,
  );

  it.each([
    [{ launch: {} }, 'spec.launch.image'],
    [{ launch: { image: 'Not An Image' } }, 'spec.launch.image'],
    [{ launch: { image: 'a:1', options: { pul: 'never' } } }, 'spec.launch.options.pul'],
    [
      { launch: { image: 'a:1', options: { network: 'host', containerPort: 80 } } },
      'spec.launch.options.containerPort',
    ],
    [{ launch: { image: 'a:1', command: ['{prot}'] } }, 'spec.launch.command.0'],
    [{ launch: { image: 'a:1' }, probe: { type: 'process' } }, 'spec.probe.type'],
  ])('is told when it is applied: %j', (spec, path) => {
    expect(dockerRuntime.check(ServiceSpec.parse({ runtime: 'docker', ...spec })).map((issue) => issue.path)).toEqual([
      path,
    ]);
  });

  it('is an engine that is not there: said at once, with the remedy', async () => {
    const runtime = await open('nowhere', { DOCKER_HOST: `unix://${root}/no.sock` });
    const error: unknown = await runtime
      .start({ instance: 'x', service: 's', version: 1, launch: shell('true') }, never)
      .catch((thrown: unknown) => thrown);
    expect(isError(error, 'unavailable') ? error.remedy : error).toContain('DOCKER_HOST');
    await runtime.close();
  });

  it('is a name that another installation has', () => {
    expect(containerName('aaaaaaaa', 'x')).not.toBe(containerName('bbbbbbbb', 'x'));
  });
});
