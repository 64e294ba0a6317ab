/** A TCP connection can be made, and by TLS where the service speaks it. It misses a server that hangs: the kernel accepts for it. */
import { z } from 'zod';
import type { ProbeDriver } from '../probe.ts';
import { connectTo } from '../connect.ts';
import { timed } from '../timed.ts';

const Options = z.strictObject({});

export const tcpProbe: ProbeDriver<z.infer<typeof Options>> = {
  name: 'tcp',
  about: 'A TCP connection can be made.',
  level: 'tcp',
  options: Options,
  create: () =>
    timed(
      async (target, signal, doing) =>
        new Promise((resolve, reject) => {
          const socket = connectTo(target, { signal }, doing, () => {
            socket.destroy();
            resolve(target.tls === undefined ? 'accepts connections' : 'accepts TLS connections');
          });
          socket.once('error', reject);
        }),
    ),
};
