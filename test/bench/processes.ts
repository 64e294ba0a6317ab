/** Helpers' processes of the benches. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEnvoy } from '@switchboard/envoy';
import { freePort } from '../../control-plane/src/home/free-port.ts';
import { repository } from '../support/world.ts';

export interface Running {
  readonly pid: number;
  stop(): void;
}

/** The echo agent; with host 0.0.0.0 it answers at every address of 127.0.0.0/8, so that it can stand for many. */
export async function startEchoAgent(host = '127.0.0.1'): Promise<Running & { port: number }> {
  const port = await freePort('127.0.0.1');
  const child = spawn(
    process.execPath,
    [join(repository, 'test/support/echo-agent.ts'), '--port', String(port), '--host', host],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return {
    port,
    pid: child.pid ?? 0,
    stop() {
      child.kill('SIGKILL');
    },
  };
}

/** An Envoy without a control plane, once it `answers` at its port; waited for as long as ten seconds. */
export async function startStaticEnvoy(
  configuration: (port: number) => object,
  answers: (port: number) => Promise<boolean>,
): Promise<Running & { port: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'sb-static-'));
  const port = await freePort('127.0.0.1');
  const file = join(folder, 'envoy.json');
  writeFileSync(file, JSON.stringify(configuration(port)));
  const { path } = await findEnvoy({ environment: process.env });
  // In a session of its own, as ours is: the kernel shares the processors out by session.
  const child = spawn(
    path,
    ['--config-path', file, '--concurrency', '1', '--log-level', 'error', '--disable-hot-restart'],
    { stdio: 'ignore', detached: true },
  );
  for (let round = 0; round < 500 && !(await answers(port)); round += 1) await sleep(20);
  return {
    port,
    pid: child.pid ?? 0,
    stop() {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
