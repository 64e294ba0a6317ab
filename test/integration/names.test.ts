/** Agents at DNS names, on the real Envoy: names that change, go, come back, or can't be asked for. No session ends by any of it. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { parseAllDocuments } from 'yaml';
import type { InstanceView } from '../../control-plane/src/api/types.ts';
import { startDnsServer, type DnsServer } from '../support/dns-server.ts';
import type { OpenSession } from '../support/sessions.ts';
import { repository, startWorld, type World } from '../support/world.ts';

/** An agent that greets with where it listens, then echoes. */
async function startAgent(host: string, port = 0): Promise<WebSocketServer> {
  const server = new WebSocketServer({ host, port });
  server.on('connection', (socket, request) => {
    socket.send(JSON.stringify({ mark: host, headers: request.headers }));
    socket.on('message', (data, isBinary) => {
      socket.send(data, { binary: isBinary });
    });
  });
  await once(server, 'listening');
  return server;
}

describe('agents at DNS names', () => {
  let dns: DnsServer;
  let world: World;
  let port: number;
  const agents: WebSocketServer[] = [];

  beforeAll(async () => {
    dns = await startDnsServer();
    const first = await startAgent('127.0.0.2');
    port = (first.address() as AddressInfo).port;
    agents.push(first, ...(await Promise.all(['127.0.0.3', '127.0.0.1', '::1'].map((host) => startAgent(host, port)))));
    world = await startWorld({ name: 'names', environment: { SWITCHBOARD_DNS_SERVERS: dns.address } });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    for (const agent of agents) {
      for (const socket of agent.clients) socket.terminate();
      agent.close();
    }
    await dns[Symbol.asyncDispose]();
  });

  const apply = async (name: string, host: string): Promise<unknown> =>
    world.client.apply([{ kind: 'Service', name, spec: { runtime: 'external', addresses: [{ host, port }] } }]);
  const instances = async (service: string): Promise<readonly InstanceView[]> =>
    (await world.client.instances({ service })).items;
  const at = async (service: string, host: string): Promise<InstanceView | undefined> =>
    (await instances(service)).find((one) => one.address?.host === host);
  /** New sessions land there. */
  const lands = async (service: string, host: string): Promise<OpenSession> =>
    world.until(`sessions of ${service} go to ${host}`, async () => {
      const session = await world.open(service);
      if (session.greeting.mark === host) return session;
      await session.close();
      return false;
    });
  const alive = async (session: OpenSession): Promise<void> => {
    expect(await session.ask('still there?')).toBe('still there?');
  };

  it('follows a name from one address to another, to none and back, and through a time without DNS', async () => {
    await apply('moving', 'moving.example');
    const said = await world.until('the instance says what is wrong', async () => (await instances('moving'))[0]);
    expect(said).toMatchObject({ state: 'unknown', reason: 'NameNotResolved', hostname: 'moving.example' });
    expect(said.message).toContain('NXDOMAIN');
    expect(said.address).toBeUndefined();

    dns.zone.set('moving.example', { addresses: ['127.0.0.2'] });
    const old = await lands('moving', '127.0.0.2');
    await world.until('only the address is left', async () => (await instances('moving')).length === 1);

    // While it moves, nobody is refused.
    dns.zone.set('moving.example', { addresses: ['127.0.0.3'] });
    const marks = new Set<string>();
    await world.until('the name has moved', async () => {
      const mark = await world.open('moving').then(
        async (session) => session.close().then(() => session.greeting.mark),
        (error: unknown) => String(error),
      );
      marks.add(mark);
      return (await at('moving', '127.0.0.2'))?.state === 'draining' && mark === '127.0.0.3';
    });
    expect(marks).toEqual(new Set(['127.0.0.2', '127.0.0.3']));
    await alive(old);
    expect((await at('moving', '127.0.0.2'))?.drain).toMatchObject({ reason: 'NameChanged', policy: 'wait' });
    const young = await lands('moving', '127.0.0.3');

    // Nobody can tell: what was known stays, with the reason, also for a control plane that has just started.
    dns.zone.set('moving.example', { fails: 'SERVFAIL' });
    const conditions = async (): Promise<boolean> =>
      (await at('moving', '127.0.0.3'))?.conditions.some((one) => one.message.includes('SERVFAIL')) === true;
    await world.until('the instance tells of SERVFAIL', conditions);
    await world.killControlPlane();
    await world.startControlPlane();
    await world.until('the instance tells of SERVFAIL again', conditions);
    await (await lands('moving', '127.0.0.3')).close();
    expect((await at('moving', '127.0.0.2'))?.state).toBe('draining');

    // The DNS says that it is gone: no new sessions, and the old ones live.
    dns.zone.delete('moving.example');
    await world.until('the last address drains', async () => (await at('moving', '127.0.0.3'))?.state === 'draining');
    await world.acked();
    await expect(world.open('moving')).rejects.toThrow('refused with 503');
    await Promise.all([old, young].map(alive));

    dns.zone.set('moving.example', { addresses: ['127.0.0.3'] });
    await (await lands('moving', '127.0.0.3')).close();
    await Promise.all([old, young].map(alive));

    // When its last session has ended, nothing is left of the first address.
    await old.close();
    await world.until('the empty address is removed', async () => (await instances('moving')).length === 1);
    await young.close();
  }, 90_000);

  it('follows a CNAME to an address of the other family, and takes the family that works', async () => {
    dns.zone.set('alias.example', { cname: 'six.example' });
    dns.zone.set('six.example', { addresses: ['::1'] });
    // Nothing listens at the IPv4 address.
    dns.zone.set('both.example', { addresses: ['127.0.0.99', '::1'] });
    await Promise.all([apply('alias', 'alias.example'), apply('both', 'Both.Example')]);
    const sessions = await Promise.all(['alias', 'both'].map(async (service) => lands(service, '::1')));
    await world.until('the family that does not work is gone', async () => (await instances('both')).length === 1);
    await world.until('the service is ready', async () => {
      const { state, ready, wanted } = (await world.client.service('both')).status;
      return state === 'ready' && ready === 1 && wanted === 1;
    });
    await Promise.all(sessions.map(async (session) => session.close()));
  }, 60_000);

  it('reaches localhost, which the DNS is not asked for, and stays as it is when only the order changes', async () => {
    dns.zone.set('many.example', { addresses: ['127.0.0.2', '127.0.0.3'] });
    await Promise.all([apply('local', 'localhost'), apply('many', 'many.example')]);
    await world.until('localhost is reached', async () => (await world.client.service('local')).status.ready === 1);
    expect(['127.0.0.1', '::1']).toContain((await world.open('local')).greeting.mark);
    await world.ready('many', 2);
    const before = (await instances('many')).map((one) => one.revision);
    dns.zone.set('many.example', { addresses: ['127.0.0.3', '127.0.0.2'] });
    const asked = dns.asked.length;
    await world.until('it was asked again', () => Promise.resolve(dns.asked.length > asked + 4));
    await sleep(200);
    expect((await instances('many')).map((one) => one.revision)).toEqual(before);
  }, 60_000);

  it('takes the example', async () => {
    const text = readFileSync(join(repository, 'deploy/examples/external-by-name.yaml'), 'utf8');
    const documents = parseAllDocuments(text).map((one) => one.toJS() as unknown);
    const { changes } = await world.client.apply(documents, { dryRun: true });
    expect(changes.filter(({ kind }) => kind === 'Service').map(({ name, action }) => [name, action])).toEqual([
      ['by-name', 'created'],
      ['by-tls', 'created'],
    ]);
  });

  it('refuses what is no name, and a registration by name, with the reason', async () => {
    for (const host of ['10.0.0.256', 'http://agent', '[::1]', 'agent:80', 'two words', ''])
      await expect(apply('bad', host)).rejects.toThrow('must be an IP address or a DNS name');
    await apply('open', 'many.example');
    await expect(
      world.client.register({ service: 'open', address: { host: 'agent.example', port: 1 } }),
    ).rejects.toThrow("DNS names stand in the service's spec.addresses");
  });
});
