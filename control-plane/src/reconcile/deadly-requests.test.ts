import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { NewEvent } from '../model/event.ts';
import type { Instance } from '../model/instance.ts';
import type { BrokenRequest } from '../telemetry/broken.ts';
import { createDeadlyRequests } from './deadly-requests.ts';

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

function ended(id: string, port: number, at: number, service = 'chat'): Instance {
  const lastExit = {
    at: new Date(at).toISOString(),
    address: { host: '127.0.0.1', port },
    code: 1,
    signal: null,
    log: [],
  };
  return { id, service, lastExit } as unknown as Instance;
}

function watch(instances: Instance[]): { told: string[]; send: (request?: Partial<BrokenRequest>) => void } {
  const told: string[] = [];
  const deadly = createDeadlyRequests({
    instances: () => instances,
    note: ({ message }: NewEvent) => told.push(message),
    now: () => Date.now(),
  });
  return {
    told,
    send(request = {}) {
      deadly.broke({
        cluster: 'chat',
        method: 'GET',
        path: '/x',
        upstream: '127.0.0.1:2',
        attempts: 2,
        durationMs: 20,
        ...request,
      });
    },
  };
}

it('names those that ended while the request was under way, and no others', () => {
  const now = Date.now();
  const { told, send } = watch([
    ended('a', 1, now - 10),
    ended('b', 2, now + 5),
    ended('long-ago', 3, now - 60_000),
    ended('of-another', 4, now, 'other'),
  ]);
  send();
  vi.advanceTimersByTime(1_500);
  expect(told).toEqual(['GET /x was sent once, and 2 instances ended while they had it: a, b']);
});

it('says nothing of one instance, nor where the last one did not end', () => {
  const now = Date.now();
  const { told, send } = watch([ended('a', 1, now), ended('b', 2, now)]);
  send({ attempts: 1 });
  send({ path: '/other', upstream: '127.0.0.1:9' });
  vi.advanceTimersByTime(200_000);
  expect(told).toEqual([]);
});

it('tells of a request that is sent again and again once a minute', () => {
  const instances: Instance[] = [];
  const { told, send } = watch(instances);
  for (let n = 1; n <= 6; n += 1) {
    instances.push(ended(`i${n}`, n, Date.now()));
    send({ attempts: 1, upstream: `127.0.0.1:${n}` });
    vi.advanceTimersByTime(5_000);
  }
  expect(told).toEqual(['GET /x was sent 2 times, and 2 instances ended while they had it: i1, i2']);
  vi.advanceTimersByTime(60_000);
  expect(told[1]).toBe('GET /x was sent 4 times, and 4 instances ended while they had it: i3, i4, i5, i6');
});
