/** Ports that nobody listens on: found, and checked, by listening there for a moment. */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostPort } from '../model/address.ts';
import { SwitchboardError } from '../model/errors.ts';

/** One that has just ended lets go of its port a moment later. */
const TRIES = 20;
const PAUSE_MS = 50;

/** Errors: the system's, as EADDRNOTAVAIL for a host that this machine does not have. */
export async function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('no port was given'));
      });
    });
  });
}

export async function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/** Before anything is started that would need the port. Error: `unavailable`, with the variable that chooses another. */
export async function expectFree(host: string, port: number, what: string, variable: string): Promise<void> {
  for (let left = TRIES; !(await isFree(host, port)); left -= 1) {
    if (left === 0)
      throw new SwitchboardError(
        'unavailable',
        `cannot listen for ${what} on ${hostPort(host, port)}: another program does, or this machine has no such address`,
        { remedy: `Stop what uses it, or choose another with ${variable}.` },
      );
    await sleep(PAUSE_MS);
  }
}
