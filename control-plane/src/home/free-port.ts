/** Ports that nobody listens on: found, and checked, by listening there for a moment. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostPort } from '../model/address.ts';
import { SwitchboardError } from '../model/errors.ts';

/** One that has just ended lets go of its port a moment later. */
const TRIES = 20;
const PAUSE_MS = 50;

/**
 * Below those that the kernel gives to outgoing connections (from 32768 on Linux, 49152 elsewhere): one of these may be taken at any time
 * before it is listened on, and again while what listens there is restarted.
 */
const [LOWEST, HIGHEST] = [10_000, 19_999];
const DRAWS = 200;

/** Error: `unavailable` when none is found, as on a host that this machine does not have. */
export async function freePort(host: string): Promise<number> {
  for (let left = DRAWS; left > 0; left -= 1) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (await isFree(host, port)) return port;
  }
  throw new SwitchboardError(
    'unavailable',
    `no free port was found on ${host} between ${LOWEST} and ${HIGHEST}: it must be an address of this machine`,
  );
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
