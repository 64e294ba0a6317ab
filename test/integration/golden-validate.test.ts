/** What the golden files say is put before the real Envoy: it takes every one of them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, findEnvoy } from '@switchboard/envoy';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { repository } from '../support/world.ts';

type Json = Record<string, unknown>;

interface Golden {
  readonly Cluster?: Json[];
  readonly ClusterLoadAssignment?: Json[];
  readonly RouteConfiguration?: Json[];
}

interface Bootstrap {
  readonly static_resources: { readonly clusters: Json[]; listeners?: Json[] };
}

const testdata = join(repository, 'control-plane/src/translate/testdata');

function expectedOf(file: string): Golden {
  return parse(
    readFileSync(join(testdata, file), 'utf8').split('\n---------- expected ----------\n')[1] ?? '',
  ) as Golden;
}

/** The listener with these routes in it, in place of where it would ask for them. */
function withRoutes(listener: Json, routes: Json): Json {
  const text = JSON.stringify(listener, (key, value: unknown) => (key === 'rds' ? undefined : value));
  const copy = JSON.parse(text) as {
    filter_chains: { filters: { name: string; typed_config: Json }[] }[];
  };
  const manager = copy.filter_chains[0]?.filters.at(-1);
  if (manager === undefined) throw new Error('the listener has no connection manager');
  manager.typed_config['route_config'] = routes;
  return copy;
}

/** Endpoints are validated within a cluster that holds them. */
function holding(assignment: Json): Json {
  const name = `holds-${String(assignment['cluster_name'])}`;
  return { name, type: 'STATIC', connect_timeout: '1s', load_assignment: { ...assignment, cluster_name: name } };
}

describe('Envoy takes what the golden files expect', () => {
  const listener = parse(readFileSync(join(testdata, 'listener.yaml'), 'utf8')) as Json;

  it.each(readdirSync(testdata).filter((name) => name.endsWith('.golden.yaml')))('%s', async (file) => {
    const golden = expectedOf(file);
    const folder = mkdtempSync(join(tmpdir(), 'sb-golden-'));
    try {
      const whole = bootstrap({
        nodeId: 'golden',
        cluster: 'switchboard',
        zone: '',
        xds: { host: '127.0.0.1', port: 1 },
        variant: 'delta',
        adminPath: join(folder, 'admin.sock'),
        maxConnections: 1000,
      }) as Bootstrap;
      const [routes] = golden.RouteConfiguration ?? [];
      whole.static_resources.clusters.push(
        ...(golden.Cluster ?? []),
        ...(golden.ClusterLoadAssignment ?? []).map(holding),
      );
      if (routes === undefined) throw new Error('there are no routes');
      whole.static_resources.listeners = [withRoutes(listener, routes)];
      const path = join(folder, 'bootstrap.json');
      writeFileSync(path, JSON.stringify(whole));
      const { path: envoy } = await findEnvoy({ environment: process.env });
      const said = execFileSync(envoy, ['--mode', 'validate', '--config-path', path, '--log-level', 'error'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      expect(said).toContain('OK');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
