/** A GET of a path is answered with an expected status. */
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { HttpProbeOptions } from '../../model/probe.ts';
import type { ProbeDriver } from '../probe.ts';
import { hostOf, tlsOptions } from '../connect.ts';
import { timed } from '../timed.ts';

export const httpProbe: ProbeDriver<HttpProbeOptions> = {
  name: 'http',
  about: 'A GET of `path` is answered with a status in `status`.',
  level: 'http',
  options: HttpProbeOptions,
  create: ({ path, status: [low, high] }) =>
    timed(
      async (target, signal, doing) =>
        new Promise((resolve, reject) => {
          const { tls } = target;
          const call = (tls === undefined ? request : requestTls)({
            host: target.host,
            port: target.port,
            path,
            agent: false,
            signal,
            ...(tls === undefined ? {} : tlsOptions(tls)),
            headers: { host: hostOf(target), connection: 'close', 'user-agent': 'switchboard-probe' },
          });
          call.once('socket', (socket) =>
            socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
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
