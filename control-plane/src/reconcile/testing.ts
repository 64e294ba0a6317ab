/** Records for the tests of this folder. */
import type { Instance } from '../model/instance.ts';
import { ServiceDocument, type Service } from '../model/service.ts';
import { RolloutStrategy, type Rollout } from '../model/rollout.ts';
import type { RegistryView } from '../registry/registry.ts';

export const T0 = Date.parse('2026-01-01T00:00:00.000Z');

export function makeService(spec: Record<string, unknown>, version = 1): Service {
  const launch = spec['runtime'] === 'external' ? {} : { launch: { command: ['agent'] } };
  const document = ServiceDocument.parse({ kind: 'Service', name: 'weather', spec: { ...launch, ...spec } });
  return { ...document, version, createdAt: new Date(T0).toISOString(), updatedAt: new Date(T0).toISOString() };
}

export function makeInstance(fields: Partial<Instance> & { id: string }): Instance {
  const at = new Date(T0).toISOString();
  return {
    kind: 'Instance',
    service: 'weather',
    version: 1,
    runtime: 'process',
    address: { host: '127.0.0.1', port: 9100 },
    tags: {},
    weight: 1,
    state: 'ready',
    reason: '',
    message: '',
    since: at,
    restarts: 0,
    failures: [],
    conditions: [],
    createdAt: at,
    ...fields,
  };
}

export function makeView(service: Service, instances: readonly Instance[], revision = 7): RegistryView {
  return {
    revision,
    services: new Map([[service.name, { value: service, revision }]]),
    versions: new Map(),
    instances: new Map(instances.map((instance) => [instance.id, { value: instance, revision }])),
    routes: new Map(),
    rollouts: new Map(),
    scales: new Map(),
  };
}

export function makeRollout(strategy: unknown, fields: Partial<Rollout> = {}): Rollout {
  const at = new Date(T0).toISOString();
  return {
    kind: 'Rollout',
    service: 'weather',
    number: 1,
    from: 1,
    to: 2,
    strategy: RolloutStrategy.parse(strategy),
    phase: 'progressing',
    stage: 0,
    stageSince: at,
    weight: 0,
    ready: 0,
    reason: 'Started',
    message: '',
    since: at,
    measurements: [],
    looks: 0,
    startedAt: at,
    ...fields,
  };
}

export function withRollout(view: RegistryView, rollout: Rollout): RegistryView {
  return { ...view, rollouts: new Map([[rollout.service, { value: rollout, revision: view.revision }]]) };
}
