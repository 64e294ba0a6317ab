import { expect, it } from 'vitest';
import { addressText, hostText, splitAddress } from './address.ts';

it.each([
  ['10.0.0.1', 80, '10.0.0.1:80'],
  ['::1', 8080, '[::1]:8080'],
  ['fe80::1', 1, '[fe80::1]:1'],
  ['localhost', 9, 'localhost:9'],
])('%s and %i are %s, and back', (host, port, text) => {
  expect(addressText({ host, port })).toBe(text);
  expect(splitAddress(text)).toEqual({ host, port: String(port) });
});

it('a host alone', () => {
  expect([hostText('::1'), hostText('a.b')]).toEqual(['[::1]', 'a.b']);
  expect([splitAddress('[::1]'), splitAddress('a.b')]).toEqual([
    { host: '::1', port: '' },
    { host: 'a.b', port: '' },
  ]);
});
