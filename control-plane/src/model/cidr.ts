/** Ranges of addresses as text: `10.0.0.0/8`, `2001:db8::/32`, and one address as the range of itself. */
import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

const bitsOf = (family: number): number => (family === 4 ? 32 : 128);

export const Cidr = z.string().refine((text) => {
  const [address = '', length, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= bitsOf(family));
}, 'must be an IP address or a range such as 10.0.0.0/8');

/** In Envoy's words. */
export interface CidrRange {
  readonly address_prefix: string;
  readonly prefix_len: number;
}

export function cidrRange(text: string): CidrRange {
  const [address = '', length] = text.split('/');
  return { address_prefix: address, prefix_len: length === undefined ? bitsOf(isIP(address)) : Number(length) };
}

/** An IPv4 address is in no range of IPv6, nor the other way round. */
export function inRanges(ranges: readonly string[], address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  for (const range of ranges.map(cidrRange))
    if (isIP(range.address_prefix) === family) list.addSubnet(range.address_prefix, range.prefix_len, kind);
  return list.check(address, kind);
}

/** Sorted, each once: their order tells nothing, so it changes nothing. */
export const TrustedProxies = z
  .array(
    Cidr.refine(
      (text) => !/^::ffff:\d+\./i.test(text),
      'is an IPv4 address written as IPv6: write it as IPv4, such as 10.0.0.1',
    ),
  )
  .max(1_000)
  .default([])
  .transform((list) => [...new Set(list)].sort());
