/** Which service or route a resource of Envoy comes from. Here, since here the names are given. Pure. */
import type { TypeUrl } from '../xds/snapshot.ts';
import { serviceOfCluster } from './pools.ts';

export interface Owner {
  readonly kind: 'Service' | 'Route';
  readonly name: string;
}

/** Types whose resources carry the name of their service. */
const BY_SERVICE = /\.(Cluster|ClusterLoadAssignment)$/;

/** Undefined: it comes from many, or from the installation as a whole. `message`, of a refusal, may name one route among them. */
export function ownerOf(type: TypeUrl, name: string, message: string, routes: Iterable<string>): Owner | undefined {
  if (BY_SERVICE.test(type)) {
    const service = serviceOfCluster(name);
    return service === '' ? undefined : { kind: 'Service', name: service };
  }
  for (const route of routes)
    if (message.includes(`"${route}"`) || message.includes(`'${route}'`)) return { kind: 'Route', name: route };
  return undefined;
}
