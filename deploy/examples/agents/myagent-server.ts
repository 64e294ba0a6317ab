/**
 * A WebSocket server that behaves on the wire as a MyAgent server does, without a model behind it: for trying Switchboard out
 * and for its tests. Plain GET gets 426, other requests an empty reply; any path is accepted; SIGTERM closes every
 * connection with 1000 at once, in the middle of a turn too.
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { openConnection, type Agent } from './connection.ts';
import { createSigner } from './signed-state.ts';

const MAX_FRAME = 1024 * 1024;
const PING_EVERY_MS = 30_000;
const PONG_WITHIN_MS = 10_000;

/** `2026-11-24 12:13:12.484 | INFO     | weather:serve:42 - message`, on stdout. */
function logLine(agent: string, level: string, message: string): void {
  const at = new Date().toISOString().replace('T', ' ').replace('Z', '');
  process.stdout.write(`${at} | ${level.padEnd(8)} | ${agent}:serve:1 - ${message}\n`);
}

/** Pings every 30 s; a client without a pong in 10 s is gone and is cut. */
function keepAlive(socket: WebSocket): void {
  let deadline: NodeJS.Timeout | undefined;
  const timer = setInterval(() => {
    socket.ping();
    deadline = setTimeout(() => {
      socket.terminate();
    }, PONG_WITHIN_MS);
  }, PING_EVERY_MS);
  socket.on('pong', () => {
    clearTimeout(deadline);
  });
  socket.once('close', () => {
    clearInterval(timer);
    clearTimeout(deadline);
  });
}

/** Serves `agent` as the command line says: --host, --port, --pace MS between events, --heartbeat SECONDS. */
export function serve(agent: Agent): void {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '8080' },
      pace: { type: 'string', default: '120' },
      heartbeat: { type: 'string', default: '60' },
    },
  });
  const log = (level: string, message: string): void => {
    logLine(agent.name, level, message);
  };
  const signer = createSigner();
  const http = createServer((request, response) => {
    if (request.method === 'GET') {
      response.writeHead(426, { 'content-type': 'text/plain', upgrade: 'websocket', connection: 'close' });
      response.end('Upgrade Required: this is a WebSocket server\n');
    } else request.socket.destroy();
  });
  const server = new WebSocketServer({ server: http, maxPayload: MAX_FRAME, perMessageDeflate: true });

  server.on('connection', (socket) => {
    const connection = openConnection({
      agent,
      signer,
      paceMs: Number(values.pace),
      log,
      send: (text) => {
        if (socket.readyState === socket.OPEN) socket.send(text);
      },
    });
    const heartbeat = setInterval(
      () => {
        connection.heartbeat();
      },
      Number(values.heartbeat) * 1000,
    );
    keepAlive(socket);
    socket.on('message', (data: RawData) => {
      connection.receive((data as Buffer).toString('utf8'));
    });
    // ws closes with 1009 by itself when a frame is too large, and reports it here.
    socket.on('error', (error) => {
      log('WARNING', `Connection error: ${error.message}`);
    });
    socket.once('close', (code) => {
      clearInterval(heartbeat);
      connection.drop();
      log('INFO', `Connection closed (${code}); ${server.clients.size} open`);
    });
    log('INFO', `Connection opened; ${server.clients.size} open`);
  });

  const end = (): void => {
    for (const socket of server.clients) socket.close(1000);
    http.close(() => process.exit(0));
    // A client that does not answer the close must not keep the process.
    setTimeout(() => process.exit(0), 500).unref();
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  server.on('error', (error) => {
    process.stderr.write(`error: ${error.message}\n`);
    process.exit(1);
  });
  http.listen(Number(values.port), values.host, () => {
    const address = http.address();
    const port = typeof address === 'object' && address !== null ? address.port : Number(values.port);
    log('INFO', `${agent.name} listens on ws://${values.host}:${port}`);
  });
}
