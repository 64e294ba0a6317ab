import { isIP } from 'node:net';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { inRanges } from '../model/cidr.ts';
import { clientIn } from './client-address.ts';

const matches = (expression: string, header: string): boolean => RE2JS.compile(expression).matches(header);
const kind = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 4 ? 'ipv4' : 'ipv6');

const listOf =
  (ranges: readonly string[]) =>
  (client: string): boolean =>
    inRanges(ranges, client);

let seed = 7;
const random = (below: number): number => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
  return Math.floor((seed / 2_147_483_648) * below);
};
/** Few different values, many zeros: so that ranges and addresses meet. */
const group = (): string => ['0', '0', '1', 'db8', '1f', 'ffff', 'a0'][random(7)] ?? '0';
const byte = (): number => [0, 1, 10, 127, 128, 200, 255][random(7)] ?? 0;
function address(): string {
  if (random(2) === 0) return Array.from({ length: 4 }, byte).join('.');
  // As programs write it.
  return URL.parse(`http://[${Array.from({ length: 8 }, group).join(':')}]`)?.hostname.slice(1, -1) ?? '';
}
function range(): string {
  const net = address();
  return `${net}/${random((kind(net) === 'ipv4' ? 32 : 128) + 1)}`;
}

describe('the expression for a client of some ranges', () => {
  it('takes the address of the peer just as the ranges do', () => {
    for (let round = 0; round < 60; round += 1) {
      const ranges = Array.from({ length: 1 + random(3) }, range);
      const expression = clientIn(ranges);
      const holds = listOf(ranges);
      for (let one = 0; one < 10; one += 1) {
        const client = address();
        expect({ ranges, client, in: matches(expression, client) }).toEqual({ ranges, client, in: holds(client) });
      }
    }
  });

  it('behind proxies takes the last that is none of them, or the first where all are', () => {
    for (let round = 0; round < 40; round += 1) {
      const ranges = Array.from({ length: 1 + random(2) }, range);
      const trusted = Array.from({ length: 1 + random(2) }, range);
      const expression = clientIn(ranges, trusted);
      const [holds, isProxy] = [listOf(ranges), listOf(trusted)];
      for (let one = 0; one < 10; one += 1) {
        const list = Array.from({ length: 1 + random(4) }, address);
        const client = list.findLast((each) => !isProxy(each)) ?? list[0] ?? '';
        const seen = { ranges, trusted, list };
        expect({ ...seen, in: matches(expression, list.join(', ')) }).toEqual({ ...seen, in: holds(client) });
      }
    }
  });

  it('takes nothing that is no address, and an address in capitals', () => {
    expect(matches(clientIn(['0.0.0.0/0', '::/0']), 'unknown')).toBe(false);
    expect(matches(clientIn(['10.0.0.0/8']), '10.1.2.3.4')).toBe(false);
    expect(matches(clientIn(['2001:db8::/32']), '2001:DB8::1')).toBe(true);
  });
});
