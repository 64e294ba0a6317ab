import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { openSessionJournal, type SessionJournal } from './session-journal.ts';
import type { Session } from './session.ts';

const folder = mkdtempSync(join(tmpdir(), 'sb-journal-'));
const file = join(folder, 'sessions.ndjson');
afterEach(() => {
  rmSync(file, { force: true });
});

const session = (id: string): Session => ({
  id,
  gateway: 'gateway-1',
  service: 'chat',
  version: 1,
  instance: 'chat-1',
  upstream: '127.0.0.1:9000',
  upstreamLocal: '127.0.0.1:1',
  client: '127.0.0.1:2',
  principal: null,
  path: '/',
  userAgent: '',
  startedAt: '2026-01-01T00:00:00.000Z',
  bytesReceived: 0,
  bytesSent: 0,
  route: 'service/chat',
  policy: 'least-connections',
  reason: 'because',
});

function start(open: () => readonly Session[] = () => []): SessionJournal {
  return openSessionJournal(file, {
    open,
    now: () => 0,
    onError: (error) => {
      throw error;
    },
  });
}

it('whoever comes next knows what was open, who was let in, and whether that is all', async () => {
  const first = start();
  expect(first.left).toEqual({ process: '', sessions: [], onTheWay: [], whole: false });
  first.begin('envoy-1', true);
  for (const id of ['a', 'b', 'c', 'd']) first.admitted({ id, service: 'chat', address: '10.0.0.1' });
  first.opened(session('a'));
  first.opened(session('b'));
  first.ended('b');
  first.refused('c');
  // What was let in is there at once; the rest within a moment. A crash may leave half a line.
  expect(start().left.onTheWay).toHaveLength(4);
  await sleep(200);
  appendFileSync(file, '{"opened":{"id":"half');
  expect(start().left).toEqual({
    process: 'envoy-1',
    whole: true,
    sessions: [session('a')],
    onTheWay: [{ id: 'd', service: 'chat', address: '10.0.0.1' }],
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('of another gateway nothing is kept; one that does not know all says so', async () => {
  const first = start(() => [session('a')]);
  first.begin('envoy-1', false);
  await sleep(50);
  expect(start().left).toMatchObject({ whole: false, sessions: [{ id: 'a' }] });
  first.whole();
  first.close();
  expect(start().left.whole).toBe(true);
  const second = start();
  second.begin('envoy-2', true);
  expect(second.left.sessions).toHaveLength(1);
  expect(start().left).toMatchObject({ process: 'envoy-2', sessions: [] });
});

it('stays as small as what is open, and loses nothing while it is made anew', async () => {
  const open = new Map<string, Session>();
  const journal = start(() => [...open.values()]);
  journal.begin('envoy-1', true);
  for (let n = 0; n < 1_200; n += 1) {
    open.set(`s${n}`, session(`s${n}`));
    journal.opened(session(`s${n}`));
  }
  for (let n = 0; n < 20_000; n += 1) {
    const id = `t${n}`;
    open.set(id, session(id));
    journal.opened(session(id));
    if (n % 100 === 0) await sleep(1);
    if (n < 19_990) {
      open.delete(id);
      journal.ended(id);
    }
  }
  journal.close();
  const { sessions, whole } = start().left;
  expect(sessions.map(({ id }) => id).sort()).toEqual([...open.keys()].sort());
  expect(whole).toBe(true);
  expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(15_000);
});
