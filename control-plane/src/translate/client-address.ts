/**
 * Which clients a route is for, as an expression over X-Forwarded-For. What a route of Envoy's can match of an address is the peer of the connection, which
 * behind a proxy is the proxy; the header tells both ways alike, since each chain of the listener ends it with the peer (`peers.ts`): the client is the
 * last in it that is no trusted proxy, or the first where all are.
 */
import { isIP } from 'node:net';
import { bits, firstOf, type Family } from '../model/address-number.ts';
import { cidrRange } from '../model/cidr.ts';
import type { Match } from '../model/route.ts';
import type { JsonObject } from '../routing/policy.ts';

/** From the first to the last address, as numbers. */
interface Interval {
  readonly family: Family;
  readonly from: bigint;
  readonly to: bigint;
}

function interval(range: string): Interval {
  const { address_prefix: address, prefix_len: length } = cidrRange(range);
  const family = isIP(address) === 4 ? 4 : 6;
  const free = BigInt(bits(family) - length);
  const from = (firstOf(address) >> free) << free;
  return { family, from, to: from + (1n << free) - 1n };
}

const meet = (a: Interval, b: Interval): boolean => a.family === b.family && a.from <= b.to && b.from <= a.to;
const both = (a: Interval, b: Interval): Interval => ({
  family: a.family,
  from: a.from > b.from ? a.from : b.from,
  to: a.to < b.to ? a.to : b.to,
});
function without(a: Interval, b: Interval): Interval[] {
  if (!meet(a, b)) return [a];
  const left = { ...a, to: b.from - 1n };
  const right = { ...a, from: b.to + 1n };
  return [left, right].filter(({ from, to }) => from <= to);
}

/** The blocks that an interval is made of, largest possible: how many of the first bits are fixed, and the first address. */
function* blocks({ family, from, to }: Interval): Generator<{ readonly fixed: number; readonly first: bigint }> {
  for (let first = from; first <= to;) {
    let free = 0n;
    while (free < BigInt(bits(family)) && first % (1n << (free + 1n)) === 0n && first + (1n << (free + 1n)) - 1n <= to)
      free += 1n;
    yield { fixed: bits(family) - Number(free), first };
    first += 1n << free;
  }
}

const anyOf = (list: readonly string[]): string => `(?:${list.join('|')})`;

function dotted(fixed: number, first: bigint): string {
  const parts = [24n, 16n, 8n, 0n].map((shift, index) => {
    const free = Math.min(8, Math.max(0, 8 * (index + 1) - fixed));
    const byte = Number((first >> shift) & 255n);
    if (free === 0) return String(byte);
    return free === 8 ? '[0-9]{1,3}' : anyOf(Array.from({ length: 1 << free }, (_, n) => String(byte + n)));
  });
  return parts.join('\\.');
}

/** Sixteen bits in up to four hexadecimal digits, without zeros before them. */
function group(fixed: number, value: number): string {
  if (fixed === 0) return '[0-9a-f]{1,4}';
  const digits = [12, 8, 4, 0].map((shift, index) => {
    const free = Math.min(4, Math.max(0, 4 * (index + 1) - fixed));
    const digit = (value >> shift) & 15;
    return Array.from({ length: 1 << free }, (_, n) => (digit + n).toString(16));
  });
  const forms: string[] = [];
  for (const [index, here] of digits.entries()) {
    const allowed = index === 3 ? here : here.filter((digit) => digit !== '0');
    if (allowed.length > 0)
      forms.push([allowed, ...digits.slice(index + 1)].map((one) => `[${one.join('')}]`).join(''));
    if (!here.includes('0')) break;
  }
  return anyOf(forms);
}

/** One form for each run of zeros that `::` may stand for, and that without one. */
function colons(fixed: number, first: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => ({
    fixed: Math.min(16, Math.max(0, fixed - 16 * index)),
    value: Number((first >> BigInt(112 - 16 * index)) & 0xffffn),
  }));
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((one) => group(one.fixed, one.value))
      .join(':');
  const forms = [text(0, 8)];
  for (let from = 0; from < 8; from += 1)
    for (let to = from + 1; to <= 8 && groups[to - 1]?.value === 0; to += 1)
      forms.push(`${text(0, from)}::${text(to, 8)}`);
  return anyOf(forms);
}

function expression(intervals: readonly Interval[]): string | undefined {
  const forms = intervals.flatMap((one) =>
    [...blocks(one)].map(({ fixed, first }) => (one.family === 4 ? dotted(fixed, first) : colons(fixed, first))),
  );
  return forms.length === 0 ? undefined : anyOf(forms);
}

/** Of the whole header. Addresses stand there as programs write them: https://www.rfc-editor.org/rfc/rfc5952 */
export function clientIn(ranges: readonly string[], trustedProxies: readonly string[] = []): string {
  const wanted = ranges.map(interval);
  const trusted = trustedProxies.map(interval);
  const proxies = expression(trusted);
  if (proxies === undefined) return `(?i)${expression(wanted) ?? ''}`;
  const others = expression(trusted.reduce((left, proxy) => left.flatMap((one) => without(one, proxy)), wanted));
  const among = expression(
    wanted.flatMap((one) => trusted.filter((two) => meet(one, two)).map((two) => both(one, two))),
  );
  const then = `(?:\\s*,\\s*${proxies})*`;
  const forms = [
    ...(others === undefined ? [] : [`(?:.*,\\s*)?${others}${then}`]),
    ...(among === undefined ? [] : [`${among}${then}`]),
  ];
  return `(?i)${anyOf(forms)}`;
}

/** As conditions on headers. */
export function clientCondition(clientIp: Match['clientIp'], trustedProxies: readonly string[]): JsonObject[] {
  if (clientIp === undefined) return [];
  const negated = 'notIn' in clientIp;
  const regex = clientIn(negated ? clientIp.notIn : clientIp.in, trustedProxies);
  const inverted = negated ? { invert_match: true } : {};
  return [{ name: 'x-forwarded-for', string_match: { safe_regex: { regex } }, ...inverted }];
}
