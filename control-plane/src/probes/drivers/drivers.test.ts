import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { identify } from '../../home/process-identity.ts';
import { probeConformance, silentServer } from '../conformance.ts';
import type { ProbeTarget } from '../probe.ts';
import { httpProbe } from './http.ts';
import { myagentProbe } from './myagent.ts';
import { processProbe } from './process.ts';
import { tcpProbe } from './tcp.ts';
import { websocketProbe } from './websocket.ts';

interface Opened {
  target: ProbeTarget;
  close: () => Promise<void>;
  openSockets: () => number;
}

async function webSocketServer(greeting?: string, closeWith?: number): Promise<Opened> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => {
    if (greeting !== undefined) socket.send(greeting);
    if (closeWith !== undefined) socket.close(closeWith);
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const close = async (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  return {
    target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    close,
    openSockets: () => server.clients.size,
  };
}

async function httpServer(status: number): Promise<Opened> {
  let open = 0;
  const server = createServer((_request, response) => {
    response.statusCode = status;
    response.end('x');
  });
  server.on('connection', (socket) => {
    open += 1;
    socket.once('close', () => (open -= 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => {
        resolve();
      });
    });
  return {
    target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    close,
    openSockets: () => open,
  };
}

const refused = {
  name: 'a closed port',
  open: async () => {
    const { target, close } = await httpServer(200);
    await close();
    return { target, close: async () => undefined };
  },
  reason: /connection refused/,
};
const connected = JSON.stringify({ event: 'system.connected', content: 'Connected', metadata: {} });

probeConformance('websocket', {
  probe: websocketProbe.create(websocketProbe.options.parse({ ping: true })),
  healthy: async () => webSocketServer(),
  unhealthy: [
    refused,
    { name: 'a server that answers 426', open: async () => httpServer(426), reason: /HTTP 426, not 101/ },
  ],
  seesHang: true,
});

probeConformance('websocket without ping', {
  probe: websocketProbe.create(websocketProbe.options.parse({})),
  healthy: async () => webSocketServer(),
  unhealthy: [
    refused,
    { name: 'a server that answers 426', open: async () => httpServer(426), reason: /HTTP 426, not 101/ },
  ],
  seesHang: true,
});

probeConformance('myagent', {
  probe: myagentProbe.create(myagentProbe.options.parse({})),
  healthy: async () => webSocketServer(connected),
  unhealthy: [
    refused,
    {
      name: 'another first event',
      open: async () => webSocketServer('{"event":"system.error"}'),
      reason: /first message is system\.error/,
    },
    { name: 'no JSON', open: async () => webSocketServer('hello'), reason: /no MyAgent event/ },
    {
      name: 'a server that closes',
      open: async () => webSocketServer(undefined, 1011),
      reason: /closed the connection with 1011/,
    },
    {
      name: 'a server that says nothing',
      open: async () => webSocketServer(),
      reason: /timed out after \d+ ms waiting for system\.connected/,
    },
  ],
  seesHang: true,
});

probeConformance('http', {
  probe: httpProbe.create(httpProbe.options.parse({})),
  healthy: async () => httpServer(204),
  unhealthy: [
    refused,
    { name: 'a server that answers 503', open: async () => httpServer(503), reason: /answered 503, not 200 to 299/ },
  ],
  seesHang: true,
});

probeConformance('tcp', {
  probe: tcpProbe.create(tcpProbe.options.parse({})),
  healthy: async () => {
    const { server, target, sockets } = await silentServer();
    return { target, close: async () => void server.close(), openSockets: () => sockets.size };
  },
  unhealthy: [refused],
  seesHang: 'the kernel accepts for a process that hangs',
});

async function sleeper(signal?: NodeJS.Signals): Promise<Opened> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('spawn', resolve));
  const pid = child.pid ?? 0;
  const startTime = identify(pid)?.startTime ?? '';
  if (signal !== undefined) child.kill(signal);
  if (signal === 'SIGKILL') await new Promise((resolve) => child.once('exit', resolve));
  await sleep(50);
  return {
    target: { host: '127.0.0.1', port: 1, process: { pid, startTime } },
    close: async () => void child.kill('SIGKILL'),
    openSockets: () => 0,
  };
}

probeConformance('process', {
  probe: processProbe.create({}),
  healthy: async () => sleeper(),
  unhealthy: [
    { name: 'a process that has ended', open: async () => sleeper('SIGKILL'), reason: /does not run/ },
    { name: 'a stopped process', open: async () => sleeper('SIGSTOP'), reason: /stopped by a signal/ },
    {
      name: 'another process that has its pid',
      open: async () => ({
        target: { host: '127.0.0.1', port: 1, process: { pid: process.pid, startTime: 'another' } },
        close: async () => undefined,
      }),
      reason: /does not run/,
    },
    { name: 'an instance without a process', open: async () => httpServer(200), reason: /has no process here/ },
  ],
  seesHang: 'it looks at the process, not at its port',
});
