/** Load for benches: sessions that send and wait for the echo, and sessions that open and close. */
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';

/** CPU time of a process, user and system, in milliseconds. */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory in KiB. */
export function memoryOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN);
}

export async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await new Promise<void>((resolve, reject) => {
    socket.once('message', () => {
      resolve();
    });
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      reject(new Error(`refused with ${response.statusCode ?? 0}`));
    });
  });
  return socket;
}

export async function openMany(url: string, count: number): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  while (sockets.length < count)
    sockets.push(
      ...(await Promise.all(Array.from({ length: Math.min(50, count - sockets.length) }, async () => open(url)))),
    );
  return sockets;
}

export async function closeAll(sockets: readonly WebSocket[]): Promise<void> {
  await Promise.all(
    sockets.map(
      async (socket) =>
        new Promise((resolve) => {
          socket.once('close', resolve);
          socket.close();
        }),
    ),
  );
}

/** Each socket sends, waits for the echo, sends again, for a time. */
export async function pingPong(
  sockets: readonly WebSocket[],
  ms: number,
): Promise<{ messages: number; roundTripMs: number }> {
  const text = 'x'.repeat(200);
  let messages = 0;
  let waited = 0;
  const end = performance.now() + ms;
  await Promise.all(
    sockets.map(async (socket) => {
      while (performance.now() < end) {
        const start = performance.now();
        await new Promise((resolve) => {
          socket.once('message', resolve);
          socket.send(text);
        });
        waited += performance.now() - start;
        messages += 1;
      }
    }),
  );
  return { messages, roundTripMs: waited / messages };
}
