/** What every probe must do: pass on what is well, give a reason for what is not, end at its signal, leave no socket open. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { HealthProbe, ProbeTarget } from './probe.ts';

export interface ProbeKit {
  readonly probe: HealthProbe;
  /** Starts something that the probe passes. */
  healthy(): Promise<{ target: ProbeTarget; close: () => Promise<void>; openSockets: () => number }>;
  /** Targets that it must refuse, with what its reason must say. */
  readonly unhealthy: readonly {
    readonly name: string;
    readonly open: () => Promise<{ target: ProbeTarget; close: () => Promise<void> }>;
    readonly reason: RegExp;
  }[];
  /** False for a probe that a server which accepts and says nothing passes, for the reason given. */
  readonly seesHang: true | string;
}

export async function silentServer(): Promise<{ server: Server; target: ProbeTarget; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    // Read, or its end would not be seen.
    socket.resume();
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port }, sockets };
}

const soon = (ms: number): AbortSignal => AbortSignal.timeout(ms);

export function probeConformance(name: string, kit: ProbeKit): void {
  describe(`probe ${name}`, () => {
    it('passes what is well and leaves no socket open', async () => {
      const { target, close, openSockets } = await kit.healthy();
      for (let round = 0; round < 5; round += 1) {
        const result = await kit.probe(target, soon(2_000));
        expect(result).toMatchObject({ ok: true });
        expect(result.reason).not.toBe('');
        expect(result.latencyMs).toBeGreaterThanOrEqual(0);
      }
      for (let round = 0; round < 40 && openSockets() > 0; round += 1) await sleep(25);
      expect(openSockets()).toBe(0);
      await close();
    });

    it.each(kit.unhealthy)('refuses $name with a reason', async ({ open, reason }) => {
      const { target, close } = await open();
      const result = await kit.probe(target, soon(1_000));
      expect(result.ok).toBe(false);
      expect(result.reason).toMatch(reason);
      await close();
    });

    it('ends at once when its signal is already given', async () => {
      expect(await kit.probe({ host: '127.0.0.1', port: 9 }, AbortSignal.abort())).toMatchObject({ ok: false });
    });

    if (kit.seesHang === true) {
      it('gives up on what accepts and says nothing, and leaves no socket open', async () => {
        const { server, target, sockets } = await silentServer();
        afterAll(() => server.close());
        const result = await kit.probe(target, soon(150));
        expect(result.ok).toBe(false);
        expect(result.reason).toMatch(/timed out after \d+ ms waiting for /);
        for (let round = 0; round < 40 && sockets.size > 0; round += 1) await sleep(25);
        expect(sockets.size).toBe(0);
      });
    }
  });
}
