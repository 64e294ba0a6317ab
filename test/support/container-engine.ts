/**
 * A real container engine for tests: Docker where it answers, else Podman (Debian's packages), which serves Docker's API, started in
 * a temporary folder on a socket of its own. An image is made from programs of this machine: no registry is needed.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectTo, type Engine } from '../../control-plane/src/runtime/drivers/docker/engine.ts';

/** What Podman needs inside an ordinary container or virtual machine; measured, see its comments. */
const CONTAINERS_CONF = `[containers]
# Higher ones may not be given here.
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`;

type Docker = Engine['docker'];

export const IMAGE = 'localhost/switchboard-test:1';

export interface ContainerEngine extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly address: string;
  readonly docker: Docker;
  /** True for an engine of the test's own, which it may stop. */
  readonly isOwn: boolean;
  /** Ends the engine's service; containers go on. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

async function answers(docker: Docker): Promise<boolean> {
  try {
    await docker.ping();
    return true;
  } catch {
    return false;
  }
}

/** What is missing and how to get it; undefined: all is there. */
function installed(programs: readonly string[]): string | undefined {
  const script = join(import.meta.dirname, '../../deploy/setup/debian-packages.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, ...programs], { encoding: 'utf8' });
  return status === 0 ? undefined : stderr.trim();
}

/** Busybox and Node with the libraries that it needs, as one layer. */
async function makeImage(docker: Docker, folder: string, withNode: boolean): Promise<void> {
  const root = join(folder, 'image');
  for (const name of ['bin', 'tmp', 'etc', 'run']) mkdirSync(join(root, name), { recursive: true });
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  for (const name of ['sh', 'sleep', 'cat', 'echo', 'seq', 'id', 'yes', 'nc'])
    symlinkSync('busybox', join(root, 'bin', name));
  if (withNode) {
    copyFileSync(process.execPath, join(root, 'bin/node'));
    const { stdout } = spawnSync('ldd', [process.execPath], { encoding: 'utf8' });
    for (const [, path = ''] of stdout.matchAll(/(\/\S+) \(0x/g)) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      copyFileSync(path, join(root, path));
    }
  }
  const tar = spawn('tar', ['-C', root, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const progress = await docker.importImage(tar.stdout, { repo: IMAGE });
  await new Promise((resolve) => progress.on('end', resolve).resume());
  rmSync(root, { recursive: true, force: true });
}

export async function startContainerEngine({ withNode = false } = {}): Promise<ContainerEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'sb-engine-'));
  const given = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
  const there = connectTo(given);
  const problem = installed(['podman', 'runc', 'busybox=busybox-static']);
  if (await answers(there)) {
    await makeImage(there, folder, withNode);
    return {
      address: given,
      docker: there,
      isOwn: false,
      stop: async () => undefined,
      start: async () => undefined,
      async [Symbol.asyncDispose]() {
        rmSync(folder, { recursive: true, force: true });
      },
    };
  }
  if (problem !== undefined)
    throw new Error(`no Docker answers at ${given}, and Podman can not be started in its place: ${problem}`);
  return startPodman(folder, withNode);
}

async function startPodman(folder: string, withNode: boolean): Promise<ContainerEngine> {
  const conf = join(folder, 'containers.conf');
  writeFileSync(conf, CONTAINERS_CONF);
  // Socket paths are short everywhere.
  const socket = join(folder, 's');
  const address = `unix://${socket}`;
  const docker = connectTo(address);
  const places = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--tmpdir', join(folder, 'tmp')];
  const env = { ...process.env, CONTAINERS_CONF: conf };
  const podman = ['--storage-driver=vfs', ...places];
  let service: ChildProcess | undefined;
  let output = '';

  async function start(): Promise<void> {
    rmSync(socket, { force: true });
    service = spawn('podman', [...podman, 'system', 'service', '--time=0', address], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    service.stderr?.on('data', (part: Buffer) => (output = (output + part.toString()).slice(-4_000)));
    for (let round = 0; round < 200; round += 1) {
      if (existsSync(socket) && (await answers(docker))) return;
      await sleep(50);
    }
    throw new Error(`Podman does not answer: ${output}`);
  }

  async function stop(): Promise<void> {
    const running = service;
    service = undefined;
    if (running?.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, 'exit');
    running.kill('SIGKILL');
    await gone;
  }

  await start();
  await makeImage(docker, folder, withNode);
  return {
    address,
    docker,
    isOwn: true,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      if (!(await answers(docker))) await start();
      for (const { Id } of await docker.listContainers({ all: true }))
        await docker
          .getContainer(Id)
          .remove({ force: true })
          .catch(() => undefined);
      await stop();
      // What Podman has mounted below its folder lives on without it.
      const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
      for (const path of mounts.map((line) => line.split(' ')[1] ?? '').reverse())
        if (path.startsWith(`${folder}/`)) spawnSync('umount', ['--lazy', path]);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
