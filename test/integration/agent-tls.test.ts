/** Agents behind TLS, on the real Envoy: whom it trusts, by which name, with which Host; and that no session ends when that changes. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import type { InstanceView } from '../../control-plane/src/api/types.ts';
import { makeAuthority, type Authority, type ServerPair } from '../support/certificates.ts';
import { startDnsServer, type DnsServer } from '../support/dns-server.ts';
import { openSession, type Greeting, type OpenSession } from '../support/sessions.ts';
import { startWorld, type World } from '../support/world.ts';

interface Seen extends Greeting {
  servername: string | false;
  protocol: string | null;
}

/** Greets with how it was reached, then echoes. Without a pair it speaks no TLS. */
async function startAgent(host: string, port: number, pair?: ServerPair): Promise<Server> {
  const server = pair === undefined ? (createPlain() as unknown as Server) : createServer(pair);
  server.on('request', (_request, response) => response.writeHead(426).end());
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, { headers, socket: raw }) => {
    const { servername, getProtocol } = raw as Partial<TLSSocket>;
    socket.on('error', () => undefined);
    socket.send(JSON.stringify({ mark: host, headers, servername, protocol: getProtocol?.call(raw) ?? null }));
    socket.on('message', (data, isBinary) => {
      socket.send(data, { binary: isBinary });
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

describe('agents behind TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sb-trust-'));
  let dns: DnsServer;
  let world: World;
  let port: number;
  /** Trusted by this machine, and by nobody. */
  let known: Authority;
  let own: Authority;
  const agents = new Map<string, Server>();

  beforeAll(async () => {
    [known, own] = await Promise.all([makeAuthority('known'), makeAuthority('own')]);
    writeFileSync(join(folder, 'trust.pem'), known.certificate);
    const good = await known.certify(['good.example', '*.wild.example']);
    agents.set('127.0.0.2', await startAgent('127.0.0.2', 0, good));
    port = (agents.get('127.0.0.2')?.address() as AddressInfo).port;
    const pairs: Record<string, ServerPair | undefined> = {
      '127.0.0.3': await own.certify(['private.internal', 'other.internal']),
      '127.0.0.4': await known.certify(['expired.example'], { expired: true }),
      '127.0.0.5': await own.certify(['127.0.0.5']),
      '127.0.0.6': undefined,
      '127.0.0.7': good,
    };
    for (const [host, pair] of Object.entries(pairs)) agents.set(host, await startAgent(host, port, pair));
    dns = await startDnsServer({
      'good.example': { addresses: ['127.0.0.2'] },
      'a.wild.example': { addresses: ['127.0.0.2'] },
      'wrong.example': { addresses: ['127.0.0.2'] },
      'expired.example': { addresses: ['127.0.0.4'] },
    });
    world = await startWorld({
      name: 'agent-tls',
      environment: { SWITCHBOARD_DNS_SERVERS: dns.address, SSL_CERT_FILE: join(folder, 'trust.pem') },
    });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    for (const agent of agents.values()) {
      agent.close();
      agent.closeAllConnections();
    }
    await dns[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const write = async (name: string, host: string, gateway: object, more: object = {}): Promise<unknown> =>
    world.client.apply([
      { kind: 'Service', name, spec: { runtime: 'external', addresses: [{ host, port }], gateway, ...more } },
    ]);
  const opened = async (service: string): Promise<OpenSession> =>
    world.until(`a session of ${service} opens`, async () => world.open(service));
  const seen = async (service: string): Promise<Seen> => {
    const session = await opened(service);
    await session.close();
    return session.greeting as Seen;
  };
  const instance = async (service: string): Promise<InstanceView | undefined> =>
    (await world.client.instances({ service })).items[0];
  const isRefused = async (service: string, reason: string): Promise<void> => {
    await world.until(`the instance of ${service} says ${reason}`, async () => {
      const one = await instance(service);
      if (one?.health?.reason.includes(reason) === true) return true;
      throw new Error(one?.health?.reason);
    });
    await world.until(`${service} is told as failed`, async () => (await instance(service))?.state === 'failed');
    await expect(world.open(service)).rejects.toThrow('refused with 503');
  };

  it('are reached by the name that they stand under, which is asked for and must be in the certificate', async () => {
    await Promise.all([
      write('good', 'good.example', { tls: {} }),
      write(
        'wild',
        'a.wild.example',
        { tls: {}, hostHeader: 'address' },
        { probe: { type: 'http', options: { path: '/', status: [200, 499] } } },
      ),
      write('ping', 'good.example', { tls: {} }, { probe: { type: 'websocket', options: { ping: true } } }),
      write('wrong', 'wrong.example', { tls: {} }),
      write('expired', 'expired.example', { tls: {} }),
      write('unknown-ca', '127.0.0.3', { tls: { serverName: 'private.internal' } }),
      write('not-tls', '127.0.0.6', { tls: { serverName: 'good.example' } }),
      write('not-plain', 'good.example', {}),
    ]);
    const [good, wild] = await Promise.all(['good', 'wild', 'ping'].map(seen));
    expect(good).toMatchObject({ servername: 'good.example', protocol: 'TLSv1.3' });
    expect(good?.headers['host']).toMatch(/^127\.0\.0\.1:/);
    expect(wild).toMatchObject({ servername: 'a.wild.example', headers: { host: 'a.wild.example' } });
    expect(wild?.headers['x-forwarded-host']).toBe(good?.headers['host']);
    await Promise.all([
      isRefused('wrong', 'its certificate is for DNS:good.example, DNS:*.wild.example, not for wrong.example'),
      isRefused('expired', 'its certificate has expired'),
      isRefused('unknown-ca', 'its certificate comes from no authority that is trusted here'),
      isRefused('not-tls', 'does not speak TLS'),
      isRefused('not-plain', 'closed the connection'),
    ]);
  }, 60_000);

  it('are trusted by an authority of their own, by IP address, or blindly by name of the setting', async () => {
    await Promise.all([
      write('private', '127.0.0.3', { tls: { ca: own.certificate, serverName: 'private.internal' } }),
      write('by-ip', '127.0.0.5', { tls: { ca: own.certificate, serverName: '127.0.0.5' } }),
      write('blind', 'expired.example', { tls: { insecure: true } }),
      write('socket-check', 'good.example', { tls: {}, healthCheck: { type: 'websocket' } }),
    ]);
    const found = await Promise.all(['private', 'by-ip', 'blind', 'socket-check'].map(seen));
    expect(found.map((one) => one.servername)).toEqual(['private.internal', false, 'expired.example', 'good.example']);
  }, 60_000);

  it('the gateway itself looks at each certificate', async () => {
    // Neither a probe nor a health check looks at it meanwhile.
    await write(
      'swapped',
      '127.0.0.7',
      { tls: { serverName: 'good.example' }, healthCheck: { type: 'off' } },
      { probe: { interval: '1h' } },
    );
    const open = await opened('swapped');
    const agent = agents.get('127.0.0.7');
    for (const pair of [
      await known.certify(['another.example']),
      await own.certify(['good.example']),
      await known.certify(['good.example'], { expired: true }),
    ]) {
      agent?.setSecureContext(pair);
      await expect(world.open('swapped')).rejects.toThrow('refused with 503');
    }
    agent?.setSecureContext(await known.certify(['good.example']));
    await (await world.open('swapped')).close();
    expect(await open.ask('still there?')).toBe('still there?');
    await open.close();
  }, 60_000);

  it('no session ends when its settings change', async () => {
    const ca = own.certificate;
    await write('changing', '127.0.0.3', { tls: { ca, serverName: 'private.internal' } });
    await opened('changing').then(async (session) => session.close());
    const crowd = await world.crowd('changing', 50, 100);
    const goesOn = async (): Promise<void> => {
      const before = crowd.echoed();
      await world.until('messages come back', async () => crowd.echoed() > before + 100);
    };
    for (const gateway of [
      { tls: { ca: `${own.certificate}\n${known.certificate}`, serverName: 'private.internal' } },
      { tls: { ca, serverName: 'other.internal' } },
      { tls: { insecure: true } },
      { tls: { serverName: 'private.internal' } },
      { hostHeader: 'address' },
      {},
      { tls: { ca, serverName: 'other.internal' } },
    ]) {
      const dry = await world.client.apply(
        [
          {
            kind: 'Service',
            name: 'changing',
            spec: { runtime: 'external', addresses: [{ host: '127.0.0.3', port }], gateway },
          },
        ],
        { dryRun: true },
      );
      expect(dry.impact).toMatchObject({ endsNow: 0, drains: 0 });
      await write('changing', '127.0.0.3', gateway);
      await world.acked();
      await goesOn();
    }
    expect((await seen('changing')).servername).toBe('other.internal');
    const { lost, cut } = await crowd.settle();
    expect({ lost, cut }).toEqual({ lost: 0, cut: 0 });
    await crowd.close();
  }, 60_000);

  it('stand in one pool with others that speak no TLS, or other names', async () => {
    const tags = { pool: 'mixed' };
    await Promise.all([
      write('mixed-a', 'good.example', { tls: {} }, { tags }),
      write('mixed-b', '127.0.0.6', {}, { tags }),
      write('mixed-c', '127.0.0.3', { tls: { ca: own.certificate, serverName: 'private.internal' } }, { tags }),
    ]);
    await world.client.apply([
      { kind: 'Route', name: 'mixed', spec: { match: { path: { prefix: '/mixed' } }, target: { tags } } },
    ]);
    const marks = new Set<string>();
    const url = world.url('x').replace('/agents/x', '/mixed');
    await world.until('all three are reached', async () => {
      const session = await openSession(url);
      marks.add(session.greeting.mark);
      await session.close();
      return marks.size === 3;
    });
  }, 60_000);

  it('refuses what can not be, and repeats no key', async () => {
    const { key } = await own.certify(['x.example']);
    const refused = async (host: string, gateway: object): Promise<string> =>
      write('bad', host, gateway).then(
        () => 'taken',
        (error: unknown) => String(error instanceof Error ? error.message : error),
      );
    expect(await refused('127.0.0.3', { tls: {} })).toContain(`127.0.0.3:${port} has no DNS name`);
    expect(await refused('x.example', { tls: { ca: '/etc/ca.pem' } })).toContain('not the name of a file');
    const told = await refused('x.example', { tls: { ca: `${own.certificate}\n${key}` } });
    expect(told).toContain('must hold certificates alone, not a PRIVATE KEY');
    expect(told).not.toContain(key.split('\n')[1]);
    const half = own.certificate.replace(/\n[^-]{20}/, '\nAAAA');
    expect(await refused('x.example', { tls: { ca: half } })).toContain('its certificate 1 can not be read');
    expect(await refused('x.example', { tls: { ca: own.certificate, insecure: true } })).toContain('beside ca');
    expect(await refused('x.example', { tls: { serverName: 'a b' } })).toContain('must be a DNS name or an IP address');
    await world.client.apply([{ kind: 'Service', name: 'joins', spec: { runtime: 'external', gateway: { tls: {} } } }]);
    await expect(world.client.register({ service: 'joins', address: { host: '127.0.0.3', port } })).rejects.toThrow(
      'is not said',
    );
  });
});
