/**
 * A WebSocket server that is well and does one thing in a way of its own. `--get STATUS`: what a plain GET is answered (0: the connection is
 * closed). `--at HOST:PORT`: it listens there, whatever it is told. The message `block` keeps it busy for a minute: its port accepts, and nothing
 * else happens.
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';
import { splitAddress } from '../../control-plane/src/model/address.ts';

const { values } = parseArgs({
  options: { get: { type: 'string', default: '200' }, at: { type: 'string' } },
});
const BUSY_MS = 60_000;

const server = createServer((request, response) => {
  if (values.get === '0') request.socket.destroy();
  else response.writeHead(Number(values.get)).end();
});
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('error', () => undefined);
  socket.send(JSON.stringify({ instance: process.env['SWITCHBOARD_INSTANCE'] ?? '', pid: process.pid }));
  socket.on('message', (data: Buffer) => {
    socket.send(data.toString('utf8'));
    const until = Date.now() + (data.toString('utf8') === 'block' ? BUSY_MS : 0);
    setTimeout(() => {
      while (Date.now() < until);
    }, 20);
  });
});
const { SWITCHBOARD_HOST: host = '', SWITCHBOARD_PORT: port = '' } = process.env;
const at = values.at === undefined ? { host, port } : splitAddress(values.at);
server.listen(Number(at.port), at.host);
