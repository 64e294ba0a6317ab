import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { isError } from '../../../model/errors.ts';
import { Launch } from '../../../model/service.ts';
import { runtimeConformance } from '../../conformance.ts';
import { createPortAllocator } from '../../ports.ts';
import type { Running, Runtime, RuntimeEvent } from '../../runtime.ts';
import { membersOf } from './group.ts';
import { processRuntime } from './runtime.ts';

const root = mkdtempSync(join(tmpdir(), 'sb runtime '));
const node = process.execPath;
const run = (script: string): Launch => Launch.parse({ command: [node, '-e', script] });
const STEADY = "console.log('hello'); console.error('ready'); setInterval(() => {}, 1000)";
const never = new AbortController().signal;
const silent = { info: () => undefined, warn: () => undefined };

async function open(
  folder: string,
  options: { ports?: [number, number]; logs?: { maxBytes: number; files: number } } = {},
  environment: Record<string, string | undefined> = process.env,
): Promise<Runtime> {
  return processRuntime.create(
    {},
    {
      folder,
      host: '127.0.0.1',
      ports: createPortAllocator('127.0.0.1', options.ports ?? [31_000, 31_400]),
      logs: options.logs ?? { maxBytes: 10_485_760, files: 3 },
      now: () => Date.now(),
      log: silent,
      environment,
    },
  );
}

/** What a failed test has left running. */
function endLeftovers(): void {
  for (const file of readdirSync(root, { recursive: true }).map(String)) {
    if (!file.endsWith('process.json')) continue;
    try {
      process.kill(-(JSON.parse(readFileSync(join(root, file), 'utf8')) as Running).process.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

afterAll(() => {
  endLeftovers();
  rmSync(root, { recursive: true, force: true });
});

runtimeConformance('process', {
  open: async () => open(join(root, 'kit')),
  steady: run(STEADY),
  stubborn: run("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"),
  failing: run("console.error('last words'); process.exitCode = 7"),
  impossible: Launch.parse({ command: ['no-such-command-anywhere'] }),
  commands: {
    good: ['sh', '-c', 'echo beside $INHERITED'],
    failing: ['sh', '-c', 'exit 5'],
    // With a child that would outlive it.
    endless: ['sh', '-c', 'sleep 600 & sleep 600'],
  },
});

async function until(check: () => boolean): Promise<void> {
  for (let round = 0; round < 400 && !check(); round += 1) await sleep(25);
  expect(check()).toBe(true);
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

describe('a launch', () => {
  it('fills in templates, keeps the environment small, and reads references only into the process', async () => {
    const folder = join(root, 'env');
    const secretFile = join(root, 'secret.txt');
    writeFileSync(secretFile, 'from-file-s3cret\n');
    const runtime = await open(
      folder,
      {},
      { PATH: process.env['PATH'], MODEL_KEY: 'from-env-s3cret', OTHER_SECRET: 'not yours' },
    );
    const launch = Launch.parse({
      command: [
        node,
        '-e',
        'console.log(JSON.stringify({ argv: process.argv.slice(1), env: process.env, cwd: process.cwd() }))',
        '--',
        '{port}',
        '{host}',
        '{instance}',
        '{service}',
      ],
      env: { A: 'x-{port}', KEY: { fromEnv: 'MODEL_KEY' }, FILE: { fromFile: secretFile } },
    });
    const started = await runtime.start({ instance: 'env-1', service: 'weather', version: 3, launch }, never);
    await until(() =>
      (existsSync(join(folder, 'env-1', 'stdout.log'))
        ? readFileSync(join(folder, 'env-1', 'stdout.log'), 'utf8')
        : ''
      ).includes('\n'),
    );
    const told = JSON.parse(readFileSync(join(folder, 'env-1', 'stdout.log'), 'utf8')) as {
      argv: string[];
      env: Record<string, string>;
      cwd: string;
    };
    const port = String(started.address.port);
    expect(told.argv).toEqual([port, '127.0.0.1', 'env-1', 'weather']);
    expect(told.env).toMatchObject({
      A: `x-${port}`,
      KEY: 'from-env-s3cret',
      FILE: 'from-file-s3cret',
      SWITCHBOARD_INSTANCE: 'env-1',
    });
    expect(told.env).not.toHaveProperty('OTHER_SECRET');
    expect(told.env).not.toHaveProperty('MODEL_KEY');
    expect(told.cwd).toBe(join(folder, 'env-1', 'workdir'));
    expect(statSync(told.cwd).mode & 0o777).toBe(0o700);
    await runtime.close();
  });

  it.each([
    [{ command: [import.meta.filename] }, 'spec.launch.command.0', 'permission denied'],
    [{ command: ['no-such'] }, 'spec.launch.command.0', 'command not found'],
    [{ command: [node, '{prot}'] }, 'spec.launch.command.1', '{prot} is not known'],
    [{ command: [node], cwd: '/srv/{workdirs}' }, 'spec.launch.cwd', '{workdirs} is not known'],
    [{ command: [node], cwd: '/no/such/folder' }, 'spec.launch.cwd', 'there is no folder'],
    [{ command: [node], env: { K: { fromEnv: 'NOT_SET_HERE' } } }, 'spec.launch.env.K', 'no environment variable'],
    [
      { command: [node], env: { K: { fromFile: '/no/such/file' } } },
      'spec.launch.env.K',
      'there is no file /no/such/file',
    ],
  ])('that is wrong names the field: %j', async (launch, path, message) => {
    const runtime = await open(join(root, 'bad'));
    const error: unknown = await runtime
      .start({ instance: 'bad', service: 's', version: 1, launch: Launch.parse(launch) }, never)
      .catch((thrown: unknown) => thrown);
    expect(isError(error, 'invalid') ? error.issues[0] : error).toMatchObject({ path });
    expect(String(error)).toContain(message);
    expect(await runtime.list()).toEqual([]);
    await runtime.close();
  });

  it('gives every one of many at once a port of its own, and says when there is none left', async () => {
    const runtime = await open(join(root, 'ports'), { ports: [31_500, 31_509] });
    const starts = await Promise.allSettled(
      Array.from({ length: 12 }, async (_, n) =>
        runtime.start({ instance: `p-${n}`, service: 's', version: 1, launch: run(STEADY) }, never),
      ),
    );
    const ports = starts.flatMap((result) => (result.status === 'fulfilled' ? [result.value.address.port] : []));
    expect(new Set(ports).size).toBe(10);
    expect(starts.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : [])).join()).toContain(
      'no port is free',
    );
    await Promise.all((await runtime.list()).map(async (one) => runtime.stop(one.instance, { graceMs: 0 })));
    await runtime.close();
  });
});

describe('a process', () => {
  it('is found again when the control plane was killed before it could write a record', async () => {
    const folder = join(root, 'orphan');
    const first = await open(folder);
    const started = await first.start(
      { instance: 'orphan-1', service: 'weather', version: 4, launch: run(STEADY) },
      never,
    );
    await first.close();
    rmSync(join(folder, 'orphan-1', 'process.json'));
    const second = await open(folder);
    expect(await second.list()).toMatchObject([
      { instance: 'orphan-1', service: 'weather', version: 4, address: started.address, process: started.process },
    ]);
    const other = await open(join(root, 'another folder'));
    expect(await other.list()).toEqual([]);
    await second.stop('orphan-1', { graceMs: 500 });
    expect(alive(started.process.pid)).toBe(false);
    await second.close();
    await other.close();
  });

  it('outlives the kill of the process that started it', async () => {
    const folder = join(root, 'outlive');
    const script = `import { processRuntime } from ${JSON.stringify(join(import.meta.dirname, 'runtime.ts'))};
      import { createPortAllocator } from ${JSON.stringify(join(import.meta.dirname, '../../ports.ts'))};
      const runtime = await processRuntime.create({}, { folder: ${JSON.stringify(folder)}, host: '127.0.0.1', ports: createPortAllocator('127.0.0.1', [31600, 31610]), logs: { maxBytes: 1e7, files: 3 }, now: Date.now, log: { info() {}, warn() {} }, environment: process.env });
      const run = await runtime.start({ instance: 'o-1', service: 's', version: 1, launch: { command: ${JSON.stringify([node, '-e', STEADY])}, env: {} } }, new AbortController().signal);
      console.log(run.process.pid); setInterval(() => {}, 1000);`;
    mkdirSync(folder, { recursive: true });
    const parent = spawn(node, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = Number(
      await new Promise<string>((resolve) =>
        parent.stdout.once('data', (data: Buffer) => {
          resolve(data.toString());
        }),
      ),
    );
    parent.kill('SIGKILL');
    await new Promise((resolve) => parent.once('exit', resolve));
    await sleep(200);
    expect(alive(pid)).toBe(true);
    const runtime = await open(folder);
    expect((await runtime.list()).map((one) => one.process.pid)).toEqual([pid]);
    await runtime.stop('o-1', { graceMs: 500 });
    expect(alive(pid)).toBe(false);
    await runtime.close();
  });

  it('takes its children with it, also when it is stopped by SIGSTOP', async () => {
    const runtime = await open(join(root, 'children'));
    const script = `const { spawn } = require('node:child_process'); const c = spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"], { stdio: 'ignore' }); console.log(c.pid); setInterval(() => {}, 1000)`;
    const started = await runtime.start({ instance: 'c-1', service: 's', version: 1, launch: run(script) }, never);
    const log = join(root, 'children', 'c-1', 'stdout.log');
    await until(() => readFileSync(log, 'utf8').includes('\n'));
    const child = Number(readFileSync(log, 'utf8'));
    await sleep(200);
    process.kill(started.process.pid, 'SIGSTOP');
    await runtime.stop('c-1', { graceMs: 300 });
    expect(alive(started.process.pid)).toBe(false);
    expect(alive(child)).toBe(false);
    await runtime.close();
  });

  /** An agent that starts a process in a session of its own, and tells its pid. */
  const parting = run(
    `const { spawn } = require('node:child_process'); const c = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore', detached: true }); c.unref(); console.log(c.pid); setInterval(() => {}, 1000)`,
  );
  async function startParting(
    runtime: Runtime,
    folder: string,
    instance: string,
  ): Promise<{ agent: number; child: number }> {
    const { process: agent } = await runtime.start({ instance, service: 's', version: 1, launch: parting }, never);
    const log = join(folder, instance, 'stdout.log');
    await until(() => readFileSync(log, 'utf8').includes('\n'));
    return { agent: agent.pid, child: Number(readFileSync(log, 'utf8')) };
  }

  it('takes with it also what has left its session', async () => {
    const folder = join(root, 'parting');
    const runtime = await open(folder);
    const killed = await startParting(runtime, folder, 'g-1');
    const stopped = await startParting(runtime, folder, 'g-2');
    const other = await startParting(runtime, folder, 'g-3');
    process.kill(killed.agent, 'SIGKILL');
    await until(() => !alive(killed.child));
    await runtime.stop('g-2', { graceMs: 500 });
    await until(() => !alive(stopped.child));
    expect(alive(other.child)).toBe(true);
    await runtime.stop('g-3', { graceMs: 0 });
    await runtime.close();
    await until(() => !alive(other.child));
  });

  it('that left its session is never taken for the agent, and is ended when that died while the control plane was away', async () => {
    const folder = join(root, 'away');
    const first = await open(folder);
    const dead = await startParting(first, folder, 'a-1');
    const living = await startParting(first, folder, 'a-2');
    await first.close();
    process.kill(dead.agent, 'SIGKILL');
    await until(() => !alive(dead.agent));
    // The record of the other was lost: then the process itself tells, and so does its child.
    rmSync(join(folder, 'a-2', 'process.json'));
    const second = await open(folder);
    expect((await second.list()).map((one) => [one.instance, one.process.pid])).toEqual([['a-2', living.agent]]);
    await until(() => !alive(dead.child));
    expect(alive(living.child)).toBe(true);
    await second.stop('a-2', { graceMs: 500 });
    await second.close();
    await until(() => !alive(living.child));
  });

  it('gives its children the grace too, when the first process ends before them', async () => {
    const runtime = await open(join(root, 'wrapper'));
    const folder = join(root, 'wrapper', 'w-1');
    const inner =
      "process.on('SIGTERM', () => setTimeout(() => { console.log('said goodbye'); process.exit(0); }, 400)); console.log('up'); setInterval(() => {}, 1000)";
    const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(inner)}], { stdio: 'inherit' }); process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000)`;
    await runtime.start({ instance: 'w-1', service: 's', version: 1, launch: run(script) }, never);
    await until(() => readFileSync(join(folder, 'stdout.log'), 'utf8').includes('up'));
    await runtime.stop('w-1', { graceMs: 5_000 });
    expect(readFileSync(join(folder, 'stdout.log'), 'utf8')).toContain('said goodbye');
    await runtime.close();
  });

  it('over its memory limit is reported once', async () => {
    const runtime = await open(join(root, 'memory'));
    const events: RuntimeEvent[] = [];
    runtime.watch((event) => events.push(event));
    const launch = {
      ...run('globalThis.hog = Buffer.alloc(120 * 1024 * 1024, 1); setInterval(() => {}, 1000)'),
      memoryLimit: '100MiB',
    };
    await runtime.start({ instance: 'm-1', service: 's', version: 1, launch }, never);
    await until(() => events.length > 0);
    expect(events).toMatchObject([{ type: 'over-memory', instance: 'm-1', limit: 100 * 1024 * 1024 }]);
    await runtime.stop('m-1', { graceMs: 500 });
    await runtime.close();
  }, 15_000);

  it('gets the limits that it asks for', async () => {
    const folder = join(root, 'limits');
    const runtime = await open(folder);
    const script =
      "const { execSync } = require('node:child_process'); const os = require('node:os'); console.log(JSON.stringify({ nice: os.getPriority(), files: execSync('ulimit -n').toString().trim() })); setInterval(() => {}, 1000)";
    const launch = { ...run(script), limits: { openFiles: 300, cpuWeight: 25 } };
    const started = await runtime.start({ instance: 'n-1', service: 's', version: 1, launch }, never);
    const log = join(folder, 'n-1', 'stdout.log');
    await until(() => readFileSync(log, 'utf8').includes('\n'));
    expect(JSON.parse(readFileSync(log, 'utf8'))).toEqual({ nice: 6, files: '300' });
    // The wrappers have become the agent.
    expect(readFileSync(`/proc/${started.process.pid}/cmdline`, 'utf8').split('\0')[0]).toBe(node);
    await runtime.stop('n-1', { graceMs: 500 });
    await runtime.close();
  });

  it('that forks without end is ended with all that it has forked', async () => {
    const runtime = await open(join(root, 'bomb'));
    const events: RuntimeEvent[] = [];
    runtime.watch((event) => events.push(event));
    // Bounded all the same: the test must not depend on what it tests.
    const script =
      "const { spawn } = require('node:child_process'); let n = 0; setInterval(() => { if (n++ < 60) spawn('sleep', ['60'], { stdio: 'ignore' }); }, 10)";
    const launch = { ...run(script), limits: { processes: 10 } };
    const started = await runtime.start({ instance: 'b-1', service: 's', version: 1, launch }, never);
    await until(() => events.length > 0);
    expect(events).toMatchObject([
      { type: 'exited', instance: 'b-1', signal: 'SIGKILL', cause: { reason: 'ProcessLimit' } },
    ]);
    await until(() => membersOf(new Set([started.process.pid])).size === 0);
    await runtime.close();
  });

  it('that writes without end is never blocked, and its files stay small', async () => {
    const folder = join(root, 'chatty');
    const runtime = await open(folder, { logs: { maxBytes: 200_000, files: 3 } });
    const script =
      "let n = 0; setInterval(() => { for (let i = 0; i < 400; i += 1) console.log('line', n++, 'x'.repeat(100)); }, 10)";
    await runtime.start({ instance: 'l-1', service: 's', version: 1, launch: run(script) }, never);
    const seen: number[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      for await (const line of runtime.logs('l-1', { tail: 0, follow: true, signal: stop.signal }))
        seen.push(Number(line.text.split(' ')[1]));
    })();
    await sleep(6_000);
    const files = readdirSync(join(folder, 'l-1')).filter((name) => name.startsWith('stdout'));
    expect(files.sort()).toEqual(
      ['stdout.log', 'stdout.log.1', 'stdout.log.2'].flatMap((name) => [name, `${name}.times`]).sort(),
    );
    // What is written between two looks comes on top.
    for (const name of files) expect(statSync(join(folder, 'l-1', name)).size).toBeLessThan(20_000_000);
    stop.abort();
    await reading;
    expect(seen.length).toBeGreaterThan(1_000);
    // No line comes twice or torn; some can be lost only where a file is cut under the writer, which happens every 2 s.
    const breaks = seen.flatMap((line, index) => (index > 0 && line !== (seen[index - 1] ?? 0) + 1 ? [index] : []));
    expect(breaks.length).toBeLessThanOrEqual(4);
    for (const index of breaks) expect(seen[index]).toBeGreaterThan(seen[index - 1] ?? 0);
    expect((await runtime.list()).map((one) => one.instance)).toEqual(['l-1']);
    await runtime.stop('l-1', { graceMs: 0 });
    await runtime.close();
  }, 20_000);
});
