/** Every probe that connects, to agents behind TLS. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { makeAuthority, type Authority } from '../../../test/support/certificates.ts';
import { silentServer } from './conformance.ts';
import { httpProbe } from './drivers/http.ts';
import { myagentProbe } from './drivers/myagent.ts';
import { tcpProbe } from './drivers/tcp.ts';
import { websocketProbe } from './drivers/websocket.ts';
import type { HealthProbe, ProbeTarget, TargetTls } from './probe.ts';

const PROBES: Readonly<Record<string, HealthProbe>> = {
  tcp: tcpProbe.create({}),
  http: httpProbe.create(httpProbe.options.parse({ path: '/', status: [200, 299] })),
  websocket: websocketProbe.create(websocketProbe.options.parse({})),
  'websocket with ping': websocketProbe.create(websocketProbe.options.parse({ ping: true })),
  myagent: myagentProbe.create(myagentProbe.options.parse({})),
};

describe.each(Object.entries(PROBES))('probe %s of an agent behind TLS', (_name, probe) => {
  let authority: Authority;
  let server: Server;
  const hosts = new Set<string | undefined>();

  beforeAll(async () => {
    authority = await makeAuthority('test');
    server = createServer(await authority.certify(['agent.example', '127.0.0.1']), (request, response) => {
      hosts.add(request.headers.host);
      response.end();
    });
    new WebSocketServer({ server }).on('connection', (socket, request) => {
      hosts.add(request.headers.host);
      socket.send(JSON.stringify({ event: 'system.connected' }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const ask = async (tls: Partial<TargetTls>, more: Partial<ProbeTarget> = {}): ReturnType<HealthProbe> => {
    const { port } = server.address() as AddressInfo;
    const target = { host: '127.0.0.1', port, tls: { insecure: false, ...tls }, ...more };
    return probe(target, AbortSignal.timeout(1_000));
  };

  it('passes it by its name, by its IP address, or blindly', async () => {
    const ca = authority.certificate;
    expect(await ask({ ca, serverName: 'agent.example' })).toMatchObject({ ok: true });
    expect(await ask({ ca, serverName: '127.0.0.1' })).toMatchObject({ ok: true });
    expect(await ask({ insecure: true })).toMatchObject({ ok: true });
  });

  it('says whose certificate it is, or that nobody here trusts it', async () => {
    const other = await makeAuthority('other');
    expect((await ask({ ca: authority.certificate, serverName: 'other.example' })).reason).toBe(
      'its certificate is for DNS:agent.example, IP Address:127.0.0.1, not for other.example',
    );
    expect((await ask({ ca: other.certificate, serverName: 'agent.example' })).reason).toContain('no authority');
    expect((await ask({ serverName: 'agent.example' })).reason).toContain('has no list of authorities');
  });

  it('says that it waits for the handshake of one that does not answer', async () => {
    const { server: silent, target } = await silentServer();
    const result = await probe({ ...target, tls: { insecure: true } }, AbortSignal.timeout(100));
    expect(result).toMatchObject({ ok: false });
    expect(result.reason).toContain('timed out after');
    silent.close();
  });

  it('sends the Host that it is told to', async () => {
    hosts.clear();
    await ask({ insecure: true }, { hostHeader: 'agent.example' });
    expect([...hosts]).toEqual(hosts.size === 0 ? [] : ['agent.example']);
  });
});
