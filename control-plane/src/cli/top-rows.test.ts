import { describe, expect, it } from 'vitest';
import type { HistoryAnswer, InstanceView, ServiceView } from '../api/types.ts';
import { parseSort, sorted, topOf, type TopParts } from './top-rows.ts';
import { redraw } from './screen.ts';

const answer = (part: Partial<HistoryAnswer>): HistoryAnswer => ({
  from: '2026-01-01T00:00:00Z',
  to: '2026-01-01T00:00:30Z',
  stepSeconds: 10,
  series: [],
  distributions: [],
  gaps: [],
  truncated: 0,
  ...part,
});
const total = (
  metric: string,
  labels: object,
  values: readonly (number | null)[],
): HistoryAnswer['series'][number] => ({
  metric,
  unit: '',
  stat: 'total',
  labels,
  values,
});
const took = (labels: object, buckets: readonly [number, number][]): HistoryAnswer['distributions'][number] => ({
  metric: 'handshake_latency',
  unit: 'milliseconds',
  labels,
  count: 0,
  buckets: buckets.map(([le, count]) => ({ le, count })),
});
const service = (name: string, state: string, ready: number, wanted: number, sessions: number) =>
  ({ name, status: { state, ready, wanted, sessions } }) as unknown as ServiceView;
const instance = (id: string, of: string, usage: InstanceView['usage'], more: object = {}) =>
  ({ id, service: of, state: 'ready', health: null, sessions: 2, usage, ...more }) as unknown as InstanceView;

const parts: TopParts = {
  at: 0,
  services: [service('b', 'ready', 2, 2, 4), service('天气', 'failed', 0, 2, 0), service('idle', 'stopped', 0, 0, 0)],
  instances: [
    instance('b-1', 'b', { cpuCores: 0.25, memoryBytes: 100 }),
    instance('b-2', 'b', { cpuCores: 0.5, memoryBytes: 50 }, { drain: {} }),
    instance('x-1', '天气', null, { state: 'backoff' }),
  ],
  counts: answer({
    series: [
      total('connects', { service: 'b' }, [10, 30, null]),
      total('connect_failures', { service: 'gone' }, [0, 40, null]),
    ],
    gaps: [{ from: '2026-01-01T00:00:20Z', to: '2026-01-01T00:00:30Z' }],
  }),
  handshakes: answer({
    distributions: [
      took({ service: 'b' }, [
        [5, 98],
        [50, 1],
        [900, 1],
      ]),
      took({ service: 'other' }, [[7, 300]]),
    ],
  }),
};

describe('top', () => {
  it('puts figures of lists and history together, and tells zero from unknown', () => {
    const top = topOf('services', parts);
    expect(top.items).toEqual([
      {
        name: 'b',
        service: 'b',
        state: 'ready',
        ready: 2,
        wanted: 2,
        sessions: 4,
        connectsPerSecond: 2,
        failuresPerSecond: 0,
        cpuCores: 0.75,
        memoryBytes: 150,
        handshakeP50Ms: 5,
        handshakeP99Ms: 50,
      },
      expect.objectContaining({ name: '天气', connectsPerSecond: 0, cpuCores: null, handshakeP50Ms: null }) as object,
      expect.objectContaining({ name: 'idle', cpuCores: null }) as object,
    ]);
    // What belongs to no service here counts still.
    expect(top.total).toMatchObject({ connectsPerSecond: 2, failuresPerSecond: 2, handshakeP50Ms: 7, sessions: 4 });
    const unknown = topOf('services', {
      ...parts,
      counts: answer({ gaps: [{ from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:00:30Z' }] }),
      handshakes: answer({}),
    });
    expect(unknown.items[0]).toMatchObject({ connectsPerSecond: null, handshakeP99Ms: null });
  });

  it('shows instances, with those that drain as such', () => {
    expect(topOf('instances', parts).items.map(({ name, state, ready }) => [name, state, ready])).toEqual([
      ['b-1', 'ready', 1],
      ['b-2', 'draining', 0],
      ['x-1', 'backoff', 0],
    ]);
  });

  it('sorts what is largest or worst first', () => {
    const { items } = topOf('services', parts);
    const names = (sort: string, reverse = false): string[] =>
      sorted(items, parseSort(sort), reverse).map(({ name }) => name);
    expect(names('name')).toEqual(['b', 'idle', '天气']);
    expect(names('name', true)).toEqual(['天气', 'idle', 'b']);
    expect(names('state')[0]).toBe('天气');
    expect(names('cpu')).toEqual(['b', 'idle', '天气']);
    expect(() => parseSort('size')).toThrow('--sort must be one of name, state');
  });

  it('draws over what was there, and no more than fits', () => {
    expect(redraw('a\nb\nc\n', 2)).toBe('\u001b[?2026h\u001b[Ha\u001b[K\r\nb\u001b[K\u001b[J\u001b[?2026l');
  });
});
