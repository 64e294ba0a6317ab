import { expect, it } from 'vitest';
import { ListenHost, reachableHost } from './listen-host.ts';

it.each([
  ['127.0.0.1', '127.0.0.1'],
  ['localhost', '127.0.0.1'],
  ['LocalHost', '127.0.0.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['::', '::'],
  ['[::]', '::'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['0:0::1', '::1'],
  ['FE80:0::A', 'fe80::a'],
])('%s is listened on as %s', (text, host) => {
  expect(ListenHost.parse(text)).toBe(host);
});

it.each([
  ['', 'Too small'],
  ['gateway.example.com', 'not a name: 127.0.0.1 or localhost for this machine alone, 0.0.0.0 or :: for all'],
  ['*', '0.0.0.0 or :: for all its addresses'],
  ['127.0.0.1:8800', 'must be the address alone, 127.0.0.1: 8800 is for the setting port beside it'],
  ['[::1]:8800', 'must be the address alone, ::1: 8800 is for the setting port beside it'],
  ['fe80::1%eth0', 'without a zone'],
  ['::ffff:127.0.0.1', 'write it as IPv4'],
  ['127.1', 'must be an IP address'],
])('%o is not listened on: %s', (text, message) => {
  expect(ListenHost.safeParse(text).error?.issues[0]?.message).toContain(message);
});

it('what listens on all addresses is found at loopback', () => {
  expect(['0.0.0.0', '::', '::1', '10.0.0.1'].map(reachableHost)).toEqual([
    '127.0.0.1',
    '127.0.0.1',
    '::1',
    '10.0.0.1',
  ]);
});
