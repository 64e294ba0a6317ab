/** A TCP connection can be made. It misses a server that hangs: the kernel accepts for it. */
import { connect } from 'node:net';
import { z } from 'zod';
import type { ProbeDriver } from '../probe.ts';
import { timed } from '../timed.ts';

const Options = z.strictObject({});

export const tcpProbe: ProbeDriver<z.infer<typeof Options>> = {
  name: 'tcp',
  about: 'A TCP connection can be made.',
  level: 'tcp',
  options: Options,
  create: () =>
    timed(
      async (target, signal) =>
        new Promise((resolve, reject) => {
          const socket = connect({ host: target.host, port: target.port, signal });
          socket.once('connect', () => {
            socket.destroy();
            resolve('accepts connections');
          });
          socket.once('error', reject);
        }),
    ),
};
