/** For every field of a Service's spec and of a Route a change of it alone, as a JSON merge patch, and what must stand there before. */
import { rootCertificates } from 'node:tls';

type Patch = Readonly<Record<string, unknown>>;

export interface Group {
  readonly name: string;
  /** What stands there before. Of a Service: its spec. */
  readonly base: Patch;
  /** By the field's path, as `fieldsOf` writes it. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Surroundings {
  /** Runs an agent; `{port}` stands in it. */
  readonly command: readonly string[];
  /** Of agents that run elsewhere. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** A service that is there. */
  readonly other: string;
}

/** `{ a: { b: value } }` of `a.b`; what stands in brackets is left out. */
export function patchOf(path: string, value: unknown): Patch {
  const names = path.replaceAll(/<[^>]*>|\[\].*$/g, '').split('.');
  return names.reduceRight((inner, name) => ({ [name]: inner }), value) as Patch;
}

const under = (prefix: string, values: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));

/** One element of a list, with one of its fields changed. */
const inList = (prefix: string, element: Patch, values: Patch): Record<string, unknown> =>
  under(
    `${prefix}[].`,
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [{ ...element, [name]: value }]])),
  );

const DURATION = '77s';
const CHECK = { name: 'more', type: 'websocket', interval: '10s' };
const FLOOR = { cron: '0 8 * * 1', for: '1h', replicas: 1 };
const STEP = { weight: 10, instances: 1, pause: '1s' };
const ERRORS = { metric: 'connect-success', options: {} };
const PROBE = { timeout: '3s', failures: 4, successes: 2, interval: '7s', startTimeout: DURATION };
const ANALYSIS = { interval: '40s', minSample: 30, patience: '31m', falseAborts: 0.02 };
const FAILURE = { progressDeadline: '9m', onFailure: 'pause' };

/** Changes of what runs, or of how many: each for a service of its own, since its instances go. */
export function changesOfInstances({ command, addresses }: Surroundings): Group[] {
  const [first = { host: '', port: 0 }, second = first] = addresses;
  const external = { launch: null, runtime: 'external', addresses: [first] };
  return [
    {
      name: 'launch',
      base: {},
      fields: {
        runtime: { runtime: 'external', launch: null },
        ...under('launch.', {
          command: [...command, '--mark', 'changed'],
          image: 'example/agent:2',
          cwd: '/tmp',
          env: { MARK: 'changed' },
          memoryLimit: '900MiB',
          options: { nothing: true },
        }),
        ...under('launch.limits.', { memory: '900MiB', cpus: 1, cpuWeight: 90, processes: 900_000, openFiles: 900 }),
      },
    },
    { name: 'number', base: { replicas: 2 }, fields: { enabled: false, replicas: 1 } },
    { name: 'age', base: {}, fields: { maxAge: '1s' } },
    {
      name: 'addresses',
      base: external,
      fields: inList('addresses', first, { host: '127.0.0.2', port: second.port }),
    },
    {
      name: 'autoscale',
      base: { replicas: 2, autoscale: { sessions: 50, max: 3 } },
      fields: { 'autoscale.max': 1 },
    },
  ];
}

/** All other changes: one after the other at the same service. */
export function changesInPlace({ addresses, other }: Surroundings): Group[] {
  const [address = { host: '', port: 0 }] = addresses;
  const staged = (strategy: string, fields: Patch): Group => ({
    name: strategy,
    base: { rollout: { strategy } },
    fields: under(`rollout<${strategy}>.`, { ...fields, ...FAILURE }),
  });
  const analysis = {
    ...under('analysis.', ANALYSIS),
    ...inList('analysis.checks', ERRORS, { metric: 'early-ends', options: { tolerance: 0.1 } }),
  };
  const affinity = (type: string, fields: Patch): Group => ({
    name: `affinity-${type}`,
    base: { gateway: { affinity: { type } } },
    fields: under(`gateway.affinity<${type}>.`, fields),
  });
  return [
    {
      name: 'plain',
      base: {},
      fields: {
        description: 'changed',
        dependsOn: [other],
        tags: { colour: 'blue' },
        ...under('probe.', { ...PROBE, options: { path: '/probe' }, type: 'tcp' }),
        ...under('restart.', {
          initialBackoff: '2s',
          maxBackoff: DURATION,
          resetAfter: DURATION,
          maxFailures: 6,
          window: '11m',
        }),
        ...under('drain.', { deadline: '2h', stopGrace: '3s' }),
        ...under('gateway.', {
          'policy.type': 'round-robin',
          handshakeTimeout: '9s',
          attemptTimeout: '2s',
          idleTimeout: DURATION,
          hints: ['random'],
          hostHeader: 'address',
          headersWithUnderscores: 'pass',
          'http.responseTimeout': '33s',
        }),
        ...under('gateway.healthCheck.', {
          path: '/check',
          interval: '2s',
          timeout: '2s',
          unhealthyAfter: 3,
          type: 'tcp',
        }),
        ...under('hooks.', {
          drain: 'http://127.0.0.1:9/drain',
          stop: { command: ['true'] },
          close: 'http://127.0.0.1:9/close',
          timeout: '1s',
        }),
        ...Object.fromEntries(['recreate', 'blue-green', 'canary'].map((one) => [`rollout<${one}>.strategy`, one])),
        ...Object.fromEntries(['cookie', 'header', 'key'].map((one) => [`gateway.affinity<${one}>.type`, one])),
        'health.report': 'ignore',
        'health.restartAfter': DURATION,
        'health.onUnhealthy': 'restart',
      },
    },
    {
      name: 'checks',
      base: { health: { checks: [CHECK] } },
      fields: inList('health.checks', CHECK, {
        ...PROBE,
        name: 'other',
        type: 'tcp',
        options: { path: '/check' },
        effect: 'degraded',
      }),
    },
    {
      name: 'tls',
      base: { gateway: { tls: { serverName: 'agent.example' } } },
      fields: under('gateway.tls.', { serverName: 'other.example', ca: rootCertificates[0], insecure: true }),
    },
    {
      name: 'limits',
      base: {
        gateway: {
          limits: {
            sessionsPerInstance: 100,
            newPerInstance: { perSecond: 100 },
            newPerClient: { perSecond: 100 },
            queue: { size: 5 },
          },
        },
      },
      fields: {
        'gateway.policy.options': { choices: 3 },
        'gateway.maxSessions': 1,
        ...under('gateway.limits.', {
          sessionsPerInstance: 1,
          'newPerInstance.perSecond': 1,
          'newPerInstance.burst': 1,
          'newPerClient.perSecond': 1,
          'newPerClient.burst': 1,
          sessionsPerClient: 1,
          'queue.size': 1,
          'queue.timeout': '1s',
        }),
      },
    },
    {
      name: 'external',
      base: { launch: null, runtime: 'external', addresses: [address] },
      fields: inList('addresses', address, { tags: { colour: 'red' }, zone: 'a', weight: 2 }),
    },
    {
      name: 'autoscaled',
      base: { autoscale: { min: 1, max: 2, sessions: 50, freeSlots: 1 } },
      fields: {
        ...under('autoscale.', {
          sessions: 60,
          utilization: 0.5,
          freeSlots: 2,
          cpu: 4,
          memory: '1GiB',
          load: 0.9,
          ...inList('schedule', FLOOR, { cron: '0 9 * * 1', timezone: 'Europe/Berlin', for: '2h', replicas: 2 }),
          webhook: 'http://127.0.0.1:9/scale',
          tolerance: 0.2,
          stableWindow: DURATION,
          panicWindow: '7s',
          panicThreshold: 3,
          'scaleUp.instances': 5,
          'scaleUp.share': '50%',
          'scaleUp.period': '16s',
          'scaleDown.stabilization': '4m',
          'scaleDown.instances': 2,
          'scaleDown.period': DURATION,
          'zero.idle': '6m',
          'zero.startTimeout': DURATION,
          'zero.maxWaiting': 10,
          min: 2,
        }),
      },
    },
    staged('rolling', { surge: 1, unavailable: 1 }),
    {
      name: 'recreate',
      base: { rollout: { strategy: 'recreate' } },
      fields: { ...under('rollout<recreate>.', FAILURE), 'rollout<rolling>.strategy': 'rolling' },
    },
    staged('blue-green', { autoPromote: false, keepOld: '1m', ...analysis }),
    staged('canary', { ...inList('steps', STEP, { weight: 20, instances: 2, pause: 'manual' }), ...analysis }),
    affinity('cookie', { name: 'place', ttl: '1h', strict: true, whileDraining: true }),
    affinity('header', { name: 'x-place', query: 'place', strict: true, whileDraining: true }),
    affinity('key', { query: ['place'], header: 'x-place', cookie: 'place' }),
  ];
}

const condition = (list: string): Record<string, unknown> =>
  inList(`spec.match.${list}`, { name: 'x-a', equals: 'b' }, { name: 'x-b', equals: 'c' });

const operators = (list: string): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries({
      notEquals: 'b',
      prefix: 'b',
      suffix: 'b',
      contains: 'b',
      regex: 'b.*',
      in: ['b'],
      notIn: ['b'],
      present: true,
    }).map(([name, value]) => [`spec.match.${list}[].${name}`, [{ name: 'x-a', [name]: value }]]),
  );

/** Of a Route of this name to this service, as a whole document. */
export function changesOfRoute(service: string, other: string): Group {
  const lists = ['headers', 'query', 'cookies'];
  return {
    name: 'route',
    base: { kind: 'Route', labels: {}, spec: { match: { path: { prefix: '/samples' } }, target: { service } } },
    fields: {
      labels: { colour: 'blue' },
      ...under('spec.', {
        priority: 5,
        rewrite: '/',
        target: {
          service: null,
          split: [
            { service, weight: 1 },
            { service: other, weight: 1 },
          ],
        },
      }),
      ...under('spec.match.', {
        host: 'agents.example',
        path: { prefix: '/other' },
        subprotocols: ['chat'],
        clientIp: { in: ['127.0.0.0/8'] },
      }),
      ...Object.fromEntries(
        lists.flatMap((list) => [...Object.entries(condition(list)), ...Object.entries(operators(list))]),
      ),
      ...Object.fromEntries(
        lists.map((list) => [
          `spec.match.${list}[].caseSensitive`,
          [{ name: 'x-a', equals: 'b', caseSensitive: false }],
        ]),
      ),
      'spec.enabled': false,
    },
  };
}

/** Fields of the schema that no group has a sample of. */
export function withoutSample(fields: readonly string[], groups: readonly Group[]): string[] {
  const sampled = new Set(groups.flatMap((group) => Object.keys(group.fields)));
  return fields.filter((field) => !sampled.has(field));
}

export const whatToAdd = (missing: readonly string[]): string =>
  `no sample of ${missing.join(', ')}: add to test/support/samples.ts a change of it alone, in changesOfInstances if instances go for it, else in changesInPlace or changesOfRoute`;
