/** The xDS server by itself: driven over its control interface by a real grpc-js client, and by the real xDS client of gRPC. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { CLUSTER, ENDPOINT, EXTENSION, LISTENER, ROUTE, RUNTIME, SECRET } from '../../control-plane/src/xds/types.ts';
import { repository } from '../support/world.ts';
import { openDiscovery } from '../support/xds-client.ts';
import { startStandalone, type Standalone } from '../support/xds-standalone.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});

async function standalone(unchecked = false): Promise<Standalone> {
  const started = await startStandalone({ port: 0, control: 0, unchecked });
  open.push(started);
  return started;
}

async function control(
  { control: port }: { control: number },
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const eds = (name: string): object => ({
  name,
  type: 'EDS',
  eds_cluster_config: { eds_config: { ads: {} } },
  lb_policy: 'ROUND_ROBIN',
});
const endpoints = (name: string, ...ports: number[]): object => ({
  cluster_name: name,
  endpoints: [
    {
      locality: { region: 'r', zone: 'z' },
      load_balancing_weight: 1,
      lb_endpoints: ports.map((port) => ({
        health_status: 'HEALTHY',
        load_balancing_weight: 1,
        endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } },
      })),
    },
  ],
});

describe('the control interface', () => {
  it('puts, patches and deletes; versions appear on the wire as given', async () => {
    const server = await standalone();
    const { status } = await control(server, 'PUT', '/snapshot', {
      node: 'n',
      versions: { [CLUSTER]: 'c-7', [ENDPOINT]: 'e-7' },
      resources: {
        [CLUSTER]: { a: { version: 'a-1', resource: eds('a') } },
        [ENDPOINT]: { a: { version: 'ea-1', resource: endpoints('a', 1) } },
      },
    });
    expect(status).toBe(200);
    const client = openDiscovery({ port: server.port, variant: 'delta', node: { id: 'n' } });
    client.request({ type_url: CLUSTER });
    const first = await client.next();
    expect(first.system_version_info).toBe('c-7');
    expect(first.resources.map(({ name, version }) => [name, version])).toEqual([['a', 'a-1']]);
    client.ack(first);
    const patched = await control(server, 'PATCH', '/snapshot', {
      node: 'n',
      versions: { [CLUSTER]: 'c-8' },
      resources: {
        [CLUSTER]: { a: null, b: { version: 'b-1', resource: eds('b') } },
        [ENDPOINT]: { a: null, b: { version: 'eb-1', resource: endpoints('b', 2) } },
      },
    });
    expect(patched.status).toBe(200);
    const second = await client.next();
    expect(second.system_version_info).toBe('c-8');
    expect([second.resources.map(({ name }) => name), second.removed_resources]).toEqual([['b'], ['a']]);
    client.nack(second, 'no such thing');
    // What was refused is not sent again; what was to go with it still has to go.
    const rest = await client.next();
    expect([rest.resources, rest.removed_resources]).toEqual([[], ['a']]);
    client.ack(rest);
    expect(await client.isSilent()).toBe(true);
    client.close();
  });

  it('tells streams, subscriptions and the last ACK and NACK', async () => {
    const server = await standalone(true);
    const put = async (version: string): Promise<void> => {
      await control(server, 'PUT', '/snapshot', {
        node: 'n',
        versions: { [ENDPOINT]: version },
        resources: { [ENDPOINT]: { a: { version, resource: endpoints('a', Number(version)) } } },
      });
    };
    await put('1');
    const client = openDiscovery({ port: server.port, variant: 'sotw', node: { id: 'n' } });
    client.request({ type_url: ENDPOINT, resource_names: ['a'] });
    const first = await client.next();
    client.ack(first, { resource_names: ['a'] });
    await put('2');
    const second = await client.next();
    client.nack(second, 'bad address', { version_info: '1', resource_names: ['a'] });
    await expect
      .poll(async () => (await control(server, 'GET', '/state')).body, { timeout: 10_000 })
      .toMatchObject({
        streams: [
          {
            node: 'n',
            variant: 'sotw',
            subscriptions: [
              {
                type: ENDPOINT,
                names: ['a'],
                state: 'ERROR',
                ack: { version: '1', nonce: first.nonce },
                nack: { version: '2', nonce: second.nonce, message: 'bad address' },
              },
            ],
          },
        ],
      });
    client.close();
  });

  it('35: refuses what does not hold together, names the place, and takes it unchecked', async () => {
    const [checked, unchecked] = [await standalone(), await standalone(true)];
    const cases: [string, Record<string, unknown>, string][] = [
      ['a cluster without endpoints', { [CLUSTER]: { a: { resource: eds('a') } } }, 'cds.a'],
      ['endpoints without a cluster', { [ENDPOINT]: { a: { resource: endpoints('a', 1) } } }, 'eds.a'],
      ['a name that is another within', { [CLUSTER]: { a: { resource: { ...eds('b'), type: 'STATIC' } } } }, 'cds.a'],
      ['routes that no listener asks for', { [ROUTE]: { r: { resource: { name: 'r' } } } }, 'rds.r'],
    ];
    for (const [what, resources, path] of cases) {
      const refused = await control(checked, 'PUT', '/snapshot', { node: 'n', versions: {}, resources });
      expect([what, refused.status], JSON.stringify(refused.body)).toEqual([what, 400]);
      expect(JSON.stringify(refused.body)).toContain(path);
      expect((await control(unchecked, 'PUT', '/snapshot', { node: 'n', resources })).status).toBe(200);
    }
  });

  it('tells bad input with its place', async () => {
    const server = await standalone();
    const unknown = await control(server, 'PUT', '/snapshot', {
      node: 'n',
      resources: { [CLUSTER]: { a: { resource: { name: 'a', nope: 1 } } } },
    });
    expect([unknown.status, unknown.body['error']]).toEqual([400, expect.stringContaining('nope')]);
    expect((await control(server, 'PUT', '/snapshot', { resources: {} })).status).toBe(400);
    expect((await control(server, 'GET', '/nothing')).status).toBe(404);
  });

  it('runs as a program of its own', async () => {
    const child = spawn(
      process.execPath,
      [join(repository, 'test/support/xds-standalone.ts'), '--port', '0', '--control', '0', '--unchecked'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    try {
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
      const ports = JSON.parse(line) as { port: number; control: number };
      expect((await control(ports, 'GET', '/state')).body).toMatchObject({ streams: [] });
    } finally {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    expect(child.exitCode).toBe(0);
  });
});

describe.each(['sotw', 'delta'] as const)('every type over the aggregated service and its own: %s', (variant) => {
  const resources: Record<string, { name: string; resource: object; service: string; method: string }> = {
    [CLUSTER]: {
      name: 'c',
      resource: eds('c'),
      service: 'envoy.service.cluster.v3.ClusterDiscoveryService',
      method: 'Clusters',
    },
    [ENDPOINT]: {
      name: 'c',
      resource: endpoints('c', 1),
      service: 'envoy.service.endpoint.v3.EndpointDiscoveryService',
      method: 'Endpoints',
    },
    [LISTENER]: {
      name: 'l',
      resource: { name: 'l' },
      service: 'envoy.service.listener.v3.ListenerDiscoveryService',
      method: 'Listeners',
    },
    [ROUTE]: {
      name: 'r',
      resource: { name: 'r' },
      service: 'envoy.service.route.v3.RouteDiscoveryService',
      method: 'Routes',
    },
    [SECRET]: {
      name: 's',
      resource: { name: 's' },
      service: 'envoy.service.secret.v3.SecretDiscoveryService',
      method: 'Secrets',
    },
    [RUNTIME]: {
      name: 'rt',
      resource: { name: 'rt', layer: { a: 1 } },
      service: 'envoy.service.runtime.v3.RuntimeDiscoveryService',
      method: 'Runtime',
    },
    [EXTENSION]: {
      name: 'x',
      resource: { name: 'x' },
      service: 'envoy.service.extension.v3.ExtensionConfigDiscoveryService',
      method: 'ExtensionConfigs',
    },
  };

  it('serves it, and a service of one type refuses another', async () => {
    const server = await standalone(true);
    await control(server, 'PUT', '/snapshot', {
      node: 'node',
      resources: Object.fromEntries(
        Object.entries(resources).map(([type, { name, resource }]) => [type, { [name]: { resource } }]),
      ),
    });
    const aggregated = openDiscovery({ port: server.port, variant });
    for (const [type, { name, service, method }] of Object.entries(resources)) {
      const ask = {
        type_url: type,
        ...(variant === 'sotw' ? { resource_names: [name] } : { resource_names_subscribe: [name] }),
      };
      aggregated.request(ask);
      expect((await aggregated.next()).type_url).toBe(type);
      const prefix = variant === 'sotw' ? 'Stream' : 'Delta';
      const own = openDiscovery({ port: server.port, variant, service, method: `${prefix}${method}` });
      own.request({ ...ask, type_url: '' });
      const response = await own.next();
      expect([response.type_url, response.resources.length]).toEqual([type, 1]);
      own.request({ ...ask, type_url: type === CLUSTER ? ENDPOINT : CLUSTER });
      expect((await own.ended).code).toBe(3);
    }
    aggregated.close();
  });
});

it('a real grpc-js-xds client resolves xds:///echo and calls through resources that are served here', async () => {
  const server = await standalone();
  const backend = new Server();
  const echo = (value: Buffer): Buffer => value;
  backend.addService(
    {
      echo: {
        path: '/echo.Echo/Echo',
        requestStream: false,
        responseStream: false,
        requestSerialize: echo,
        requestDeserialize: echo,
        responseSerialize: echo,
        responseDeserialize: echo,
      },
    },
    {
      echo: (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
        reply(null, Buffer.from(`echo ${call.request.toString()}`));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    backend.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, chosen) => {
      if (error === null) resolve(chosen);
      else reject(error);
    });
  });
  try {
    const put = await control(server, 'PUT', '/snapshot', {
      node: 'grpc-client',
      resources: {
        [LISTENER]: {
          echo: {
            resource: {
              name: 'echo',
              api_listener: {
                api_listener: {
                  '@type':
                    'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                  stat_prefix: 'echo',
                  rds: { route_config_name: 'echo-routes', config_source: { ads: {} } },
                  http_filters: [
                    {
                      name: 'router',
                      typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
                    },
                  ],
                },
              },
            },
          },
        },
        [ROUTE]: {
          'echo-routes': {
            resource: {
              name: 'echo-routes',
              virtual_hosts: [
                { name: 'v', domains: ['*'], routes: [{ match: { prefix: '' }, route: { cluster: 'echo-cluster' } }] },
              ],
            },
          },
        },
        [CLUSTER]: { 'echo-cluster': { resource: eds('echo-cluster') } },
        [ENDPOINT]: { 'echo-cluster': { resource: endpoints('echo-cluster', port) } },
      },
    });
    expect(put.status, JSON.stringify(put.body)).toBe(200);
    // Its bootstrap comes from the environment when it is loaded: a process of its own.
    const child = spawn(process.execPath, [join(repository, 'test/support/grpc-xds-call.ts'), 'xds:///echo', 'hello'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        GRPC_XDS_BOOTSTRAP_CONFIG: JSON.stringify({
          xds_servers: [
            {
              server_uri: `127.0.0.1:${server.port}`,
              channel_creds: [{ type: 'insecure' }],
              server_features: ['xds_v3'],
            },
          ],
          node: { id: 'grpc-client', locality: { region: 'r', zone: 'z', sub_zone: '' } },
        }),
      },
    });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    await once(child, 'exit');
    expect(Buffer.concat(output).toString()).toBe('echo hello');
  } finally {
    backend.forceShutdown();
  }
}, 30_000);
