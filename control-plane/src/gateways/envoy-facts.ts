/** Asks Envoy for what drift.ts compares: names and versions by masks, endpoints whole, warming clusters only where there are any. */
import { dump, type Admin } from './envoy-config.ts';
import { endpointsIn, type EnvoyFacts } from './drift.ts';

type Plain = Readonly<Record<string, unknown>>;

const inner = (entry: Plain, ...path: string[]): unknown =>
  path.reduce<unknown>((value, name) => (value as Plain | undefined)?.[name], entry);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Type, field of the dump, path of the name, path of the version. */
const ASKED: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
  ['cds', 'dynamic_active_clusters', ['cluster', 'name'], ['version_info']],
  ['cds', 'dynamic_warming_clusters', ['cluster', 'name'], ['version_info']],
  ['lds', 'dynamic_listeners', ['name'], ['active_state', 'version_info']],
  ['rds', 'dynamic_route_configs', ['route_config', 'name'], ['version_info']],
  ['ecds', 'ecds_filters', ['ecds_filter', 'name'], ['version_info']],
];

async function warmingCount(admin: Admin): Promise<number> {
  const answer = await admin('/stats?filter=^cluster_manager.warming_clusters$&format=json');
  const { stats } = JSON.parse(answer) as { stats: { value?: number }[] };
  return stats[0]?.value ?? 0;
}

export async function envoyFacts(admin: Admin): Promise<EnvoyFacts> {
  const versions = new Map<string, Map<string, string>>();
  const warming: string[] = [];
  const isWarming = (await warmingCount(admin)) > 0;
  for (const [short, field, name, version] of ASKED) {
    const known = versions.get(short) ?? new Map<string, string>();
    versions.set(short, known);
    if (field === 'dynamic_warming_clusters' && !isWarming) continue;
    for (const entry of await dump(admin, field, `mask=${name.join('.')},${version.join('.')}`)) {
      known.set(text(inner(entry, ...name)), text(inner(entry, ...version)));
      if (field === 'dynamic_warming_clusters') warming.push(text(inner(entry, ...name)));
    }
  }
  const endpoints = new Map<string, Map<string, string>>();
  for (const entry of await dump(admin, 'dynamic_endpoint_configs', 'include_eds')) {
    const assignment = entry['endpoint_config'] as Plain | undefined;
    if (assignment !== undefined) endpoints.set(text(assignment['cluster_name']), endpointsIn(assignment));
  }
  return { versions, endpoints, warming };
}
