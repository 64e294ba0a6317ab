/** A GET of a path is answered with an expected status. */
import { request } from 'node:http';
import { z } from 'zod';
import type { ProbeDriver } from '../probe.ts';
import { timed } from '../timed.ts';

const Options = z.strictObject({
  path: z.string().startsWith('/').max(1024).default('/healthz'),
  /** Inclusive range of statuses that pass. */
  status: z.tuple([z.int().min(100).max(599), z.int().min(100).max(599)]).default([200, 299]),
});
type Options = z.infer<typeof Options>;

export const httpProbe: ProbeDriver<Options> = {
  name: 'http',
  about: 'A GET of `path` is answered with a status in `status`.',
  level: 'http',
  options: Options,
  create: ({ path, status: [low, high] }) =>
    timed(
      async (target, signal, doing) =>
        new Promise((resolve, reject) => {
          const call = request({
            host: target.host,
            port: target.port,
            path,
            agent: false,
            signal,
            headers: { connection: 'close', 'user-agent': 'switchboard-probe' },
          });
          call.once('socket', (socket) =>
            socket.once('connect', () => {
              doing(`an answer to GET ${path}`, 'http');
            }),
          );
          call.once('error', reject);
          call.once('response', (response) => {
            const status = response.statusCode ?? 0;
            response.destroy();
            if (status >= low && status <= high) resolve(`GET ${path} answered ${status}`);
            else reject(new Error(`GET ${path} answered ${status}, not ${low} to ${high}`));
          });
          call.end();
        }),
    ),
};
