/** The xDS server and the real Envoy, in both variants: a refused cluster holds up nothing, and a switch of clusters fails no request. */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, findEnvoy } from '@switchboard/envoy';
import { afterEach, describe, expect, it } from 'vitest';
import { createLog } from '../../control-plane/src/log.ts';
import { startXdsServer, type XdsServer } from '../../control-plane/src/xds/server.ts';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE } from '../../control-plane/src/xds/types.ts';
import { freePort } from '../../control-plane/src/home/free-port.ts';
import { snapshotOf } from '../support/xds-document.ts';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

interface Fleet {
  /** Clusters with what differs in them; each has an endpoint unless it says otherwise. */
  readonly clusters: Readonly<Record<string, object>>;
  readonly route: string;
}

const HCM = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

function documentOf({ clusters, route }: Fleet, listenOn: number, backend: number): Parameters<typeof snapshotOf>[0] {
  const address = (port_value: number): object => ({ socket_address: { address: '127.0.0.1', port_value } });
  const names = Object.keys(clusters);
  const manager = {
    '@type': HCM,
    stat_prefix: 'in',
    rds: { route_config_name: 'r', config_source: { ads: {}, resource_api_version: 'V3' } },
    http_filters: [
      {
        name: 'router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  return {
    versions: {},
    resources: {
      [CLUSTER]: Object.fromEntries(
        names.map((name) => [
          name,
          {
            resource: {
              name,
              type: 'EDS',
              eds_cluster_config: { eds_config: { ads: {}, resource_api_version: 'V3' } },
              ...clusters[name],
            },
          },
        ]),
      ),
      [ENDPOINT]: Object.fromEntries(
        names.map((name) => [
          name,
          {
            resource: {
              cluster_name: name,
              endpoints: [{ lb_endpoints: [{ endpoint: { address: address(backend) } }] }],
            },
          },
        ]),
      ),
      [LISTENER]: {
        l: {
          resource: {
            name: 'l',
            address: address(listenOn),
            filter_chains: [{ filters: [{ name: 'hcm', typed_config: manager }] }],
          },
        },
      },
      [ROUTE]: {
        r: {
          resource: {
            name: 'r',
            virtual_hosts: [
              { name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: route } }] },
            ],
          },
        },
      },
    },
  };
}

async function status(port: number): Promise<number> {
  return new Promise((resolve) => {
    get({ port, host: '127.0.0.1', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on('error', () => {
      resolve(0);
    });
  });
}

/** Asks one time after another until it is asked what came back that was not 200. */
function askOnAndOn(port: number): { failed: () => Promise<number[]> } {
  const over = new AbortController();
  const failed: number[] = [];
  const asking = (async () => {
    while (!over.signal.aborted) {
      const code = await status(port);
      if (code !== 200) failed.push(code);
    }
  })();
  return {
    async failed() {
      over.abort();
      await asking;
      return failed;
    },
  };
}

async function world(
  variant: 'sotw' | 'delta',
): Promise<{ xds: XdsServer; port: number; publish: (fleet: Fleet) => number }> {
  const backend = createServer((_, response) => response.end('ok'));
  await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    backend.closeAllConnections();
    backend.close();
  });
  const port = await freePort('127.0.0.1');
  const xds = await startXdsServer({ host: '127.0.0.1', port: 0, log: createLog('silent'), now: () => Date.now() });
  open.push(async () => xds.close());
  let revision = 0;
  const publish = (fleet: Fleet): number => {
    revision += 1;
    xds.publish(snapshotOf(documentOf(fleet, port, (backend.address() as AddressInfo).port), revision));
    return revision;
  };
  const folder = mkdtempSync(join(tmpdir(), 'sb-xds-'));
  const { path } = await findEnvoy({ environment: process.env, path: undefined });
  const options = { nodeId: 'n', cluster: 'c', zone: '', variant, adminPath: join(folder, 'a'), maxConnections: 1000 };
  writeFileSync(
    join(folder, 'b.json'),
    JSON.stringify(bootstrap({ ...options, xds: { host: '127.0.0.1', port: xds.port } })),
  );
  const log = openSync(join(folder, 'log'), 'a');
  const envoy = spawn(
    path,
    ['-c', join(folder, 'b.json'), '--concurrency', '1', '-l', 'warn', '--disable-hot-restart'],
    {
      stdio: ['ignore', log, log],
    },
  );
  closeSync(log);
  open.push(async () => {
    const gone = new Promise((resolve) => envoy.once('exit', resolve));
    if (envoy.exitCode === null && envoy.kill('SIGKILL')) await gone;
    rmSync(folder, { recursive: true, force: true });
  });
  publish({ clusters: { a: {} }, route: 'a' });
  await expect
    .poll(async () => status(port), {
      timeout: 30_000,
      message: readFileSync(join(folder, 'log'), 'utf8').slice(-2_000),
    })
    .toBe(200);
  return { xds, port, publish };
}

const acked = async (xds: XdsServer, revision: number): ReturnType<XdsServer['whenAcked']> =>
  xds.whenAcked(revision, 20_000, new AbortController().signal);

describe.each(['sotw', 'delta'] as const)('a real Envoy: %s', (variant) => {
  it.each([
    ['as a whole, by its fields', { connect_timeout: '-1s' }],
    [
      'alone, by its meaning',
      {
        health_checks: [1, 2].map(() => ({
          timeout: '1s',
          interval: '1s',
          unhealthy_threshold: 1,
          healthy_threshold: 1,
          tcp_health_check: {},
        })),
      },
    ],
  ])('48: a cluster that is refused %s is named, keeps its last good form, and holds up nothing', async (_, bad) => {
    const { xds, port, publish } = await world(variant);
    const refused = await acked(xds, publish({ clusters: { a: bad, b: {}, c: {}, d: {} }, route: 'b' }));
    expect(refused).toMatchObject({ acked: [], pending: [], refused: [{ node: 'n', type: 'cds' }] });
    expect(refused.refused[0]?.message).toMatch(/^a: /);
    // The routes lead to a cluster that came in the same response, and the one that is refused still runs as it was.
    expect(await status(port)).toBe(200);
    const clusters = xds.config('n')?.find(({ short }) => short === 'cds')?.resources ?? [];
    expect(Object.fromEntries(clusters.map(({ name, state }) => [name, state]))).toEqual({
      a: 'ERROR',
      b: 'SYNCED',
      c: 'SYNCED',
      d: 'SYNCED',
    });
    const back = await acked(xds, publish({ clusters: { a: bad, b: { connect_timeout: '3s' } }, route: 'a' }));
    expect(back).toMatchObject({ acked: ['n'], refused: [] });
    expect(await status(port)).toBe(200);
    expect(await acked(xds, publish({ clusters: { a: {}, b: {} }, route: 'a' }))).toMatchObject({ acked: ['n'] });
    expect(xds.gateways()[0]).toMatchObject({ types: { cds: { state: 'SYNCED' } }, behind: [] });
  });

  it('no request fails while traffic goes from cluster to cluster and the old one is removed with other changes', async () => {
    const { xds, port, publish } = await world(variant);
    const asking = askOnAndOn(port);
    for (let round = 0; round < 20; round += 1) {
      const [from, to] = [`c${round}`, `c${round + 1}`];
      const keep = { x: { connect_timeout: `${1 + round}s` } };
      await acked(xds, publish({ clusters: { ...keep, [from]: {} }, route: from }));
      expect(
        await acked(xds, publish({ clusters: { x: { connect_timeout: `${30 + round}s` }, [to]: {} }, route: to })),
      ).toMatchObject({
        acked: ['n'],
      });
    }
    expect(await asking.failed()).toEqual([]);
  });

  it('no request fails when Envoy is away during such a switch', async () => {
    const { xds, port, publish } = await world(variant);
    const asking = askOnAndOn(port);
    for (let round = 0; round < 10; round += 1) {
      const [from, to] = [`c${round}`, `c${round + 1}`];
      await acked(xds, publish({ clusters: { x: {}, [from]: {} }, route: from }));
      xds.disconnect('n');
      const revision = publish({ clusters: { x: {}, [to]: {} }, route: to });
      await expect.poll(() => xds.gateways().length, { timeout: 20_000 }).toBe(1);
      await expect.poll(() => xds.report(revision).acked, { timeout: 20_000 }).toEqual(['n']);
    }
    expect(await asking.failed()).toEqual([]);
  });
});
