import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { ownIdentity } from './process-identity.ts';
import { listeningIn, listeningOf, listensElsewhere } from './listening.ts';

// As recorded on Linux 6.1, x86_64: an agent on 127.0.0.1:9100, one on all of IPv4, a connection, one that is over.
const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 0100007F:238C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 3901231 1 0000000000000000 100 0 0 10 0                      
   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 3901232 1 0000000000000000 100 0 0 10 0                      
   2: 0100007F:238C 0100007F:B3D2 01 00000000:00000000 00:00000000 00000000     0        0 3901233 1 0000000000000000 20 4 30 10 -1                     
   3: 0100007F:C1A2 0100007F:238C 06 00000000:00000000 03:00000F3E 00000000     0        0 0 3 0000000000000000                                         
`;
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:2328 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1 0000000000000000 100 0 0 10 0
   1: 00000000000000000000000000000000:238C 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 78 1 0000000000000000 100 0 0 10 0
   2: 000080FE00000000FF005450010000FE:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 79 1 0000000000000000 100 0 0 10 0
`;

it('reads who listens where, and passes over what is no listener', () => {
  expect(Object.fromEntries(listeningIn(TCP))).toEqual({
    '3901231': { host: '127.0.0.1', port: 9100 },
    '3901232': { host: '0.0.0.0', port: 8080 },
  });
  expect(Object.fromEntries(listeningIn(TCP6))).toEqual({
    '77': { host: '::1', port: 9000 },
    '78': { host: '::', port: 9100 },
    '79': { host: 'fe80::5054:ff:fe00:1', port: 80 },
  });
  expect(listeningIn('').size).toBe(0);
});

it.each([
  [[['::1', 9000]], ['127.0.0.1', 9100], 'listens on [::1]:9000, not on 127.0.0.1:9100'],
  [[['::1', 9100]], ['127.0.0.1', 9100], 'listens on [::1]:9100, not on 127.0.0.1:9100'],
  [[['127.0.0.1', 9100]], ['::1', 9100], 'listens on 127.0.0.1:9100, not on [::1]:9100'],
  [[['0.0.0.0', 9100]], ['::1', 9100], 'listens on 0.0.0.0:9100, not on [::1]:9100'],
  [[['0.0.0.0', 8765]], ['127.0.0.1', 9100], 'listens on 0.0.0.0:8765, not on 127.0.0.1:9100'],
  [[['::', 9100]], ['127.0.0.1', 9100], 'listens on [::]:9100 (IPv6 alone), not on 127.0.0.1:9100'],
  [
    [1, 2, 3, 4].map((port) => ['127.0.0.1', port]),
    ['127.0.0.1', 9100],
    '127.0.0.1:3 and 1 more, not on 127.0.0.1:9100',
  ],
  // Nowhere yet, or there: it is not for want of an address that it can't be connected to.
  [[], ['127.0.0.1', 9100], undefined],
  [
    [
      ['127.0.0.1', 9000],
      ['127.0.0.1', 9100],
    ],
    ['127.0.0.1', 9100],
    undefined,
  ],
  [[['0.0.0.0', 9100]], ['127.0.0.1', 9100], undefined],
  [[['::', 9100]], ['::1', 9100], undefined],
] as [[string, number][], [string, number], string | undefined][])('%o for %o: %s', (found, [host, port], text) => {
  const told = listensElsewhere(
    found.map(([at, on]) => ({ host: at, port: on })),
    { host, port },
  );
  if (text === undefined) expect(told).toBeUndefined();
  else expect(told).toContain(text);
});

it('sees the sockets of a process that runs, and of nobody in its place', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const self = ownIdentity();
  expect(listeningOf(self)).toContainEqual(address);
  expect(listeningOf({ ...self, startTime: 'of another' })).toEqual([]);
  server.close();
  expect(listeningOf(self)).not.toContainEqual(address);
});
