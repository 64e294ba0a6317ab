import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Outcome } from './lookup.ts';
import { createNames, type Names } from './names.ts';

const found = (addresses: readonly string[], ttlMs = 5_000, untold?: 4 | 6): Outcome => ({
  found: 'addresses',
  addresses,
  ttlMs,
  ...(untold === undefined ? {} : { untold }),
});
const failure: Outcome = { found: 'failure', reason: 'no DNS server answers' };
const nothing: Outcome = { found: 'nothing', reason: 'there is no such name (NXDOMAIN)' };

describe('names that are followed', () => {
  let says: Outcome;
  let asked: number[];
  let changes: number;
  let names: Names;

  beforeEach(() => {
    vi.useFakeTimers();
    says = found(['10.0.0.1']);
    asked = [];
    changes = 0;
    names = createNames({
      lookup: async () => {
        asked.push(Date.now());
        return says;
      },
      onChange: () => (changes += 1),
      random: () => 0,
    });
    names.follow(new Set(['a.example']));
  });
  afterEach(() => {
    names.close();
    vi.useRealTimers();
  });
  const passed = async (ms: number): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms);
  };
  const gaps = (): number[] => asked.slice(1).map((at, index) => at - (asked[index] ?? 0));

  it('are asked for again when their records are old, and not before', async () => {
    await passed(12_000);
    expect(gaps()).toEqual([5_000, 5_000]);
    says = found(['10.0.0.1'], 0);
    await passed(5_000);
    says = found(['10.0.0.1'], 86_400_000);
    await passed(60_000);
    expect(gaps().slice(2)).toEqual([5_000, 1_000, 1_000, 1_000, 30_000]);
  });

  it('tell of a change, not of another order', async () => {
    await passed(0);
    expect([names.of('a.example'), changes]).toEqual([{ addresses: ['10.0.0.1'] }, 1]);
    says = found(['10.0.0.2', '10.0.0.1']);
    await passed(5_000);
    says = found(['10.0.0.1', '10.0.0.2', '10.0.0.1']);
    await passed(5_000);
    expect([names.of('a.example'), changes]).toEqual([{ addresses: ['10.0.0.1', '10.0.0.2'] }, 2]);
  });

  it('keep what was known while nobody can tell, asked for less and less often, and lose it when the DNS says so', async () => {
    await passed(0);
    says = failure;
    await passed(60_000);
    expect(gaps()).toEqual([5_000, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000, 10_000]);
    expect([names.of('a.example'), changes]).toEqual([
      { addresses: ['10.0.0.1'], problem: 'no DNS server answers' },
      2,
    ]);
    says = nothing;
    await passed(10_000);
    expect(names.of('a.example')).toEqual({ addresses: [], problem: 'there is no such name (NXDOMAIN)' });
    says = found(['10.0.0.3']);
    await passed(10_000);
    expect(names.of('a.example')).toEqual({ addresses: ['10.0.0.3'] });
  });

  it('that never were found have no addresses that are known', async () => {
    names.close();
    says = failure;
    names.follow(new Set(['b.example']));
    await passed(0);
    expect(names.of('b.example')).toEqual({ addresses: undefined, problem: 'no DNS server answers' });
  });

  it('keep the addresses of the family of which nobody can tell', async () => {
    says = found(['10.0.0.1', 'fd00::1']);
    await passed(5_000);
    says = found(['10.0.0.2'], 5_000, 6);
    await passed(5_000);
    expect(names.of('a.example')).toEqual({ addresses: ['10.0.0.2', 'fd00::1'] });
  });

  it('have a limit of addresses, the same each time', async () => {
    const many = Array.from({ length: 300 }, (_, n) => `10.0.${n >> 8}.${n & 255}`);
    says = found(many);
    await passed(5_000);
    const first = names.of('a.example')?.addresses;
    says = found(many.reverse());
    await passed(5_000);
    expect(first).toHaveLength(256);
    expect(names.of('a.example')?.addresses).toBe(first);
  });

  it('are forgotten when nobody wants them any more', async () => {
    await passed(0);
    names.follow(new Set());
    await passed(60_000);
    expect([asked.length, names.of('a.example')]).toEqual([1, undefined]);
  });
});
