import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDnsServer, type DnsServer } from '../../../test/support/dns-server.ts';
import { parseHosts } from './hosts-file.ts';
import { createLookup } from './lookup.ts';

let server: DnsServer;
beforeAll(async () => {
  server = await startDnsServer({
    'v4.example': { addresses: ['10.0.0.2', '10.0.0.1'], ttl: 7 },
    'v6.example': { addresses: ['2001:db8::1', '::1'], ttl: 300 },
    'both.example': { addresses: ['10.0.0.3', 'fd00::3'], ttl: 60 },
    'chain.example': { cname: 'next.example', ttl: 20 },
    'next.example': { cname: 'v4.example', ttl: 5 },
    'empty.example': { addresses: [] },
    'sick.example': { fails: 'SERVFAIL' },
    'half.example': { addresses: ['10.0.0.4', 'fd00::4'], fails: 'SERVFAIL', failsOnly: 'AAAA' },
    'half-empty.example': { addresses: ['10.0.0.4'], fails: 'SERVFAIL', failsOnly: 'A' },
    'silent.example': { fails: 'silence' },
  });
});
afterAll(async () => server[Symbol.asyncDispose]());

describe('a look-up', () => {
  const ask = async (name: string): Promise<unknown> => createLookup([server.address])(name);

  it('gives the addresses of both families with the shortest life of the chain', async () => {
    expect(await ask('v4.example')).toEqual({
      found: 'addresses',
      addresses: ['10.0.0.2', '10.0.0.1'],
      ttlMs: 7_000,
    });
    expect(await ask('v6.example')).toMatchObject({ addresses: ['2001:db8::1', '::1'], ttlMs: 300_000 });
    expect(await ask('both.example')).toMatchObject({ addresses: ['10.0.0.3', 'fd00::3'] });
    expect(await ask('chain.example')).toMatchObject({ addresses: ['10.0.0.2', '10.0.0.1'], ttlMs: 5_000 });
  });

  it('tells what does not exist from what nobody can tell', async () => {
    expect(await ask('nobody.example')).toEqual({
      found: 'nothing',
      reason: 'there is no such name (NXDOMAIN)',
    });
    expect(await ask('empty.example')).toEqual({
      found: 'nothing',
      reason: 'the name has no A and no AAAA record',
    });
    expect(await ask('sick.example')).toEqual({
      found: 'failure',
      reason: 'the DNS server can not tell (SERVFAIL)',
    });
    expect(await ask('half-empty.example')).toMatchObject({ found: 'failure' });
    expect(await createLookup(['127.0.0.1:1'])('v4.example')).toMatchObject({ found: 'failure' });
  });

  it('of half an answer takes what there is, and says what is not known', async () => {
    expect(await ask('half.example')).toMatchObject({ addresses: ['10.0.0.4'], untold: 6 });
  });

  it('knows localhost whatever the DNS says', async () => {
    expect(await ask('localhost')).toMatchObject({ found: 'addresses' });
    expect(await ask('agent.localhost')).toMatchObject({ addresses: ['127.0.0.1', '::1'] });
    expect(server.asked.some((one) => one.includes('localhost'))).toBe(false);
  });

  it('gives up on a server that does not answer', async () => {
    expect(await createLookup([server.address], 50)('silent.example')).toEqual({
      found: 'failure',
      reason: 'no DNS server answers',
    });
  });
});

describe('the hosts file', () => {
  it('is read with comments, aliases, both families and in any case', () => {
    const hosts = parseHosts(
      '127.0.0.1\tlocalhost Agent.Internal # here\n\n# 10.0.0.9 gone\n::1 localhost\r\nnonsense x\n',
    );
    expect([...hosts]).toEqual([
      ['localhost', ['127.0.0.1', '::1']],
      ['agent.internal', ['127.0.0.1']],
    ]);
  });
});
