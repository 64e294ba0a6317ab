import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createLookout } from './lookout.ts';

it('looks seldom while the connection stands, and closely when it is cut', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sb-lookout-'));
  const path = join(folder, 'admin.sock');
  const clients: Socket[] = [];
  const server = createServer((socket) => clients.push(socket));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  let looks = 0;
  const until = async (what: string, check: () => boolean): Promise<void> => {
    for (let round = 0; !check(); round += 1) {
      if (round > 500) throw new Error(`not seen: ${what}`);
      await sleep(10);
    }
  };
  const lookout = createLookout({
    look: async () => {
      looks += 1;
      lookout.hold(path);
    },
    isOften: () => false,
  });
  try {
    lookout.begin();
    await until('a connection', () => clients.length === 1);
    clients[0]?.destroy();
    const cut = looks;
    // At the pace of before this would take twenty seconds.
    await until('twenty looks', () => looks >= cut + 20);
    expect(clients.length).toBeGreaterThan(1);
    lookout.end();
    const ended = looks;
    await sleep(150);
    expect(looks).toBeLessThanOrEqual(ended + 1);
  } finally {
    lookout.end();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
