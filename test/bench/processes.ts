/** Helpers' processes of the benches. */
import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { repository } from '../support/world.ts';

export interface Running {
  readonly pid: number;
  stop(): void;
}

export async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}

/** The echo agent; with host 0.0.0.0 it answers at every address of 127.0.0.0/8, so that it can stand for many. */
export async function startEchoAgent(host = '127.0.0.1'): Promise<Running & { port: number }> {
  const port = await freePort();
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
