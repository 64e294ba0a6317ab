/**
 * The session table at 10,000 open sessions and 200 that open and end each second, fed over gRPC as Envoy does it, by a process of its own
 * (one Envoy here can't hold so many): is its count right, and what does it cost?
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { accessLogService } from '../../control-plane/src/telemetry/access-log.ts';
import { openSessionJournal } from '../../control-plane/src/telemetry/session-journal.ts';
import { createSessionTable } from '../../control-plane/src/telemetry/sessions.ts';
import { bounded, type Figure } from './figure.ts';

const SESSIONS = 10_000;
const EACH_SECOND = 200;
const INTERVAL_MS = 10_000;

export async function sessionTable(quick: boolean): Promise<Figure[]> {
  const table = createSessionTable({ now: () => performance.now(), intervalMs: INTERVAL_MS });
  const folder = mkdtempSync(join(tmpdir(), 'sb-bench-'));
  const journal = openSessionJournal(join(folder, 'sessions.ndjson'), {
    open: () => table.list(),
    now: () => performance.now(),
    onError: (error) => {
      throw error;
    },
  });
  journal.begin('bench', true);
  table.watch(({ type, session }) => {
    if (type === 'opened') journal.opened(session);
    else journal.ended(session.id);
  });
  const server = new Server();
  const { definition, handlers } = accessLogService(table);
  server.addService(definition, handlers);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  const feed = fork(fileURLToPath(new URL('./session-feed.ts', import.meta.url)), [
    String(port),
    String(SESSIONS),
    String(EACH_SECOND),
    String(INTERVAL_MS),
  ]);
  await once(feed, 'message');
  for (let round = 0; round < 200 && table.counts().total < SESSIONS; round += 1) await sleep(50);
  const wrong: number[] = [];
  const seconds = quick ? 10 : 30;
  const before = process.cpuUsage();
  const begin = performance.now();
  for (let second = 0; second < seconds; second += 1) {
    await sleep(1_000);
    wrong.push(Math.abs(table.counts().total - SESSIONS));
    table.expire();
  }
  const { user, system } = process.cpuUsage(before);
  const share = (100 * (user + system)) / 1_000 / (performance.now() - begin);
  feed.kill('SIGKILL');
  server.forceShutdown();
  journal.close();
  rmSync(folder, { recursive: true });
  return [
    bounded(
      `session table: ${SESSIONS} open, ${EACH_SECOND} opens and ends a second, of a core`,
      '%',
      share,
      [share],
      5,
    ),
    // One tenth of a second of opens and ends may be on its way.
    bounded('session table: count off by, at most', 'sessions', Math.max(...wrong), wrong, EACH_SECOND / 5),
  ];
}
