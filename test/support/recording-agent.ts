/**
 * An agent that writes down each request that it gets from a client, as a line `instance method path` in the file `--journal`, then does what the
 * path says: `/crash` ends the process, `?wait=MS` answers after a time, `/events?wait=MS` begins at once and sends an event every MS, five in all.
 */
import { appendFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';

const { values } = parseArgs({ options: { port: { type: 'string' }, journal: { type: 'string', default: '' } } });
const instance = process.env['SWITCHBOARD_INSTANCE'] ?? '';

/** What the path asks for, done until the answer is due. */
async function got(request: IncomingMessage): Promise<URL> {
  const url = new URL(request.url ?? '/', 'http://agent');
  // Only what clients send comes by way of the gateway's router.
  if (request.headers['x-request-id'] !== undefined)
    appendFileSync(values.journal, `${instance} ${request.method ?? ''} ${request.url ?? ''}\n`);
  if (url.pathname === '/crash') process.exit(1);
  if (url.pathname !== '/events') await sleep(Number(url.searchParams.get('wait') ?? 0));
  return url;
}

const server = createServer((request, response) => {
  void (async () => {
    const url = await got(request);
    if (url.pathname === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let n = 0; n < 5; n += 1) {
        response.write(`data: ${n}\n\n`);
        await sleep(Number(url.searchParams.get('wait') ?? 0));
      }
      response.end();
    } else if (url.pathname === '/refuse') response.writeHead(503).end('not now');
    else response.end(instance);
  })();
});
const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request: IncomingMessage, socket, head) => {
  socket.on('error', () => undefined);
  void got(request).then(() => {
    if (!socket.destroyed)
      sockets.handleUpgrade(request, socket, head, (session) => {
        session.send(JSON.stringify({ instance, pid: process.pid }));
      });
  });
});
server.listen(Number(values.port), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
