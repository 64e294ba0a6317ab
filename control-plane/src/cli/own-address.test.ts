import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, it } from 'vitest';
import { addressTowards, agentHost } from './own-address.ts';

it('an agent is where this machine comes from when it asks the control plane', async () => {
  const server = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect(await agentHost(`http://127.0.0.1:${port}`, undefined)).toEqual({ host: '127.0.0.1' });
  expect(await agentHost(`http://localhost:${port}`, undefined)).toEqual({ host: '127.0.0.1' });
  server.close();
  expect(await addressTowards(`http://127.0.0.1:${port}`)).toBeUndefined();
});

it('another address of the machine is found, as at an interface of a network', async () => {
  const there = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === 'IPv4' && !one.internal)?.address;
  // In a machine without a network: one of the range for tests of networks (RFC 2544).
  const address = there ?? `198.19.${process.pid % 256}.1`;
  const server = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const change = (verb: 'add' | 'del'): void => {
    if (there === undefined) execFileSync('ip', ['address', verb, `${address}/32`, 'dev', 'lo']);
  };
  change('add');
  try {
    expect(await agentHost(`http://${address}:${port}`, undefined)).toEqual({ host: address });
    // What the user says goes, with a warning where it leads nowhere.
    expect(await agentHost(`http://${address}:${port}`, '10.0.0.7')).toEqual({ host: '10.0.0.7' });
    const lost = await agentHost(`http://${address}:${port}`, '127.0.0.1');
    expect(lost.host).toBe('127.0.0.1');
    expect(lost.warning).toContain(`and the control plane is at http://${address}:${port}: name the address`);
  } finally {
    change('del');
    server.close();
  }
});

it('all addresses are no address', async () => {
  await expect(agentHost('http://127.0.0.1:1', '0.0.0.0')).rejects.toMatchObject({ code: 'invalid' });
});
