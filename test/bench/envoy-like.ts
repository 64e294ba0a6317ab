/** A stream that behaves like Envoy's over the real grpc-js: asks for all types in Envoy's order, follows clusters with endpoints, acknowledges all. */
import { textsAt } from '@switchboard/proto';
import { CLUSTER, ENDPOINT, LISTENER, ROUTE } from '../../control-plane/src/xds/types.ts';
import { openDiscovery, type Discovery, type Response } from '../support/xds-client.ts';

export interface EnvoyLike {
  readonly discovery: Discovery;
  /** Resolves when routes have come: it could serve. */
  readonly served: Promise<void>;
  readonly resources: number;
  /** Versions by type and name, for a reconnect. */
  readonly versions: ReadonlyMap<string, Record<string, string>>;
}

export function openEnvoyLike(
  port: number,
  variant: 'sotw' | 'delta',
  id: string,
  before: ReadonlyMap<string, Record<string, string>> = new Map(),
): EnvoyLike {
  const discovery = openDiscovery({ port, variant, node: { id } });
  const versions = new Map<string, Record<string, string>>([...before].map(([type, of]) => [type, { ...of }]));
  const endpoints = new Set<string>(Object.keys(before.get(ENDPOINT) ?? {}));
  const asked = new Set<string>();
  const envoy = { discovery, versions, resources: 0, served: Promise.resolve() };
  let serve: () => void = () => undefined;
  envoy.served = new Promise<void>((resolve) => {
    serve = resolve;
  });
  const names = (type: string): string[] => (type === ENDPOINT ? [...endpoints] : type === ROUTE ? ['clients'] : []);

  function ask(type: string, more: object = {}): void {
    asked.add(type);
    const list = names(type);
    discovery.request({
      type_url: type,
      ...(variant === 'sotw'
        ? { resource_names: list }
        : { resource_names_subscribe: list, initial_resource_versions: before.get(type) ?? {} }),
      ...more,
    });
  }

  function take(response: Response): void {
    const type = response.type_url;
    const found = response.resources.map((one) => one.name ?? textsAt(one.value ?? new Uint8Array(), [1])[0] ?? '');
    envoy.resources += found.length;
    const of = versions.get(type) ?? {};
    versions.set(type, of);
    response.resources.forEach(({ version = '' }, index) => {
      of[found[index] ?? ''] = version;
    });
    for (const name of response.removed_resources ?? []) Reflect.deleteProperty(of, name);
    if (type === CLUSTER) {
      const fresh = found.filter((name) => !endpoints.has(name));
      for (const name of fresh) endpoints.add(name);
      if (!asked.has(ENDPOINT)) ask(ENDPOINT);
      else if (fresh.length > 0)
        discovery.request(
          variant === 'sotw'
            ? { type_url: ENDPOINT, resource_names: [...endpoints], response_nonce: nonce }
            : { type_url: ENDPOINT, resource_names_subscribe: fresh },
        );
    }
    if (type === ENDPOINT) nonce = response.nonce;
    discovery.ack(response, variant === 'sotw' ? { resource_names: names(type) } : {});
    if (type === CLUSTER && !asked.has(LISTENER)) {
      ask(LISTENER);
      ask(ROUTE);
      if (before.size > 0) serve();
    }
    if (type === ROUTE) serve();
  }
  let nonce = '';
  discovery.call.on('data', take);
  ask(CLUSTER);
  return envoy;
}
