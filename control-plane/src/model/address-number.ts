/** IP addresses as numbers, for arithmetic with ranges. */
import { isIP } from 'node:net';

export type Family = 4 | 6;
export const bits = (family: Family): number => (family === 4 ? 32 : 128);

const fold = (parts: readonly number[], each: bigint): bigint =>
  parts.reduce((sum, part) => (sum << each) | BigInt(part), 0n);

/** Of an address that `isIP` takes. */
export function firstOf(address: string): bigint {
  if (isIP(address) === 4) return fold(address.split('.').map(Number), 8n);
  const [plain = ''] = address.split('%');
  // The last 32 bits may be written as IPv4.
  const text = plain.replace(/\d+\.\d+\.\d+\.\d+$/, (last) => {
    const [a = 0, b = 0, c = 0, d = 0] = last.split('.').map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [left = '', right] = text.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((one) => Number.parseInt(one, 16));
  const [before, after] = [groups(left), groups(right ?? '')];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return fold([...before, ...zeros, ...after], 16n);
}
