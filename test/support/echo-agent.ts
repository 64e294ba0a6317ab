/**
 * A plain WebSocket server for tests: greets with who it is, then echoes. Like a MyAgent server it answers 426 to a plain GET
 * and cuts everything at SIGTERM. `--slow MS` listens only after a time; `--fail` ends at once; `--hog MIB` holds memory; `--refuse SHARE`
 * answers 500 (`--refuse-with`) to that share of the handshakes that come by way of the gateway. After the message `read on after MS ms` it reads
 * nothing for so long.
 */
import type { IncomingMessage } from 'node:http';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
    slow: { type: 'string', default: '0' },
    fail: { type: 'boolean', default: false },
    hog: { type: 'string', default: '0' },
    mark: { type: 'string', default: '' },
    refuse: { type: 'string', default: '0' },
    'refuse-with': { type: 'string', default: '500' },
  },
});
if (values.fail) {
  console.error('this agent fails on purpose');
  process.exit(3);
}
const hog = Buffer.alloc(Number(values.hog) * 1024 * 1024, 1);
setTimeout(() => {
  let [asked, refused] = [0, 0];
  const server = new WebSocketServer({
    port: Number(values.port),
    host: values.host,
    maxPayload: 64 * 1024 * 1024,
    // Not by chance: of many, just that share. Probes come without the gateway's header and are let in.
    verifyClient: ({ req }: { req: IncomingMessage }, answer: (ok: boolean, code?: number) => void) => {
      if (req.headers['x-request-id'] === undefined) {
        answer(true);
        return;
      }
      asked += 1;
      const refuses = refused < Math.floor(asked * Number(values.refuse));
      if (refuses) refused += 1;
      answer(!refuses, Number(values['refuse-with']));
    },
  });
  server.on('connection', (socket, request) => {
    socket.on('error', () => undefined);
    socket.send(
      JSON.stringify({
        instance: process.env['SWITCHBOARD_INSTANCE'] ?? '',
        pid: process.pid,
        mark: values.mark,
        url: request.url,
        headers: request.headers,
        local: request.socket.localAddress,
        hog: hog.length,
      }),
    );
    socket.on('message', (data: Buffer, binary) => {
      socket.send(data, { binary });
      const pause = /^read on after (\d+) ms$/.exec(data.length > 40 ? '' : data.toString('utf8'))?.[1];
      if (pause === undefined) return;
      socket.pause();
      setTimeout(() => {
        socket.resume();
      }, Number(pause));
    });
  });
  server.on('listening', () => {
    console.log(`listening on ${values.host}:${values.port ?? ''}`);
  });
  process.on('SIGTERM', () => {
    for (const socket of server.clients) socket.close(1000);
    server.close();
    setTimeout(() => process.exit(0), 50);
  });
}, Number(values.slow));
