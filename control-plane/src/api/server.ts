/** Listens for the API and the console. */
import { serve, type ServerType } from '@hono/node-server';
import { hostPort } from '../model/address.ts';
import { SwitchboardError, messageOf } from '../model/errors.ts';
import { createApp } from './app.ts';
import { answerUnreadable } from './unreadable.ts';
import type { ApiContext } from './context.ts';

export interface ApiServer {
  readonly port: number;
  /** Ends event streams and lets requests finish. */
  close(): Promise<void>;
}

export async function startApi(options: {
  host: string;
  port: number;
  version: string;
  api: ApiContext;
}): Promise<ApiServer> {
  const { host, port, version, api } = options;
  const closing = new AbortController();
  const app = createApp({ api, version, host, closing: closing.signal });
  const { server, bound } = await new Promise<{ server: ServerType; bound: number }>((resolve, reject) => {
    const listening = serve({ fetch: app.fetch, hostname: host, port, autoCleanupIncoming: true }, (info) => {
      resolve({ server: listening, bound: info.port });
    });
    listening.on('clientError', answerUnreadable);
    listening.once('error', (error) => {
      const remedy = 'Stop what uses it, or choose another with SWITCHBOARD_API_PORT.';
      reject(
        new SwitchboardError(
          'unavailable',
          `cannot listen for the API on ${hostPort(host, port)}: ${messageOf(error)}`,
          {
            remedy,
            cause: error,
          },
        ),
      );
    });
  });
  return {
    port: bound,
    async close() {
      closing.abort();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        // Kept-alive connections would hold the server open.
        if ('closeIdleConnections' in server) server.closeIdleConnections();
        setTimeout(() => {
          if ('closeAllConnections' in server) server.closeAllConnections();
        }, 500).unref();
      });
    },
  };
}
