/** The process that is measured: translation and xDS server with a fleet of a given size, driven by its parent over IPC. */
import { setTimeout as sleep } from 'node:timers/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createLog } from '../../control-plane/src/log.ts';
import type { FleetService, FleetView } from '../../control-plane/src/model/fleet.ts';
import { ServiceGateway, type HealthCheck } from '../../control-plane/src/model/service.ts';
import { routingPolicies } from '../../control-plane/src/routing/policies.ts';
import { createTranslator } from '../../control-plane/src/translate/create.ts';
import { startXdsServer } from '../../control-plane/src/xds/server.ts';

export type HostCommand =
  | {
      readonly do: 'start';
      readonly services: number;
      readonly instances: number;
      readonly gatewayPort: number;
      readonly agentPort: number;
      /** What Envoy asks of each instance; default: as a service has it. */
      readonly check?: HealthCheck['type'];
    }
  /** Changes an endpoint, or adds a service, and waits for the ACK of every stream. */
  | { readonly do: 'endpoint' | 'service'; readonly count: number }
  /** So many endpoint changes a second, for so long; tells the longest time that a stream was behind. */
  | { readonly do: 'churn'; readonly perSecond: number; readonly seconds: number }
  | { readonly do: 'usage' };

export interface HostAnswer {
  readonly port?: number;
  /** Milliseconds, one a change. */
  readonly ms?: readonly number[];
  /** The same until clusters alone are acknowledged, for an added service. */
  readonly clusterMs?: readonly number[];
  readonly cpuMs: number;
  readonly rssMib: number;
  readonly worstMs?: number;
  readonly delayP99Ms?: number;
}

let gateway = ServiceGateway.parse({});
let services: FleetService[] = [];
let revision = 0;
let port = 0;
let worst = 0;
let clusterAckedAt = 0;
let translate: (fleet: FleetView) => void = () => undefined;
let acked: (revision: number) => Promise<void> = async () => undefined;

function service(n: number, instances: number, agentPort: number): FleetService {
  return {
    name: `s-${String(n).padStart(5, '0')}`,
    gateway,
    instances: Array.from({ length: instances }, (_, k) => ({
      id: `s-${n}-${k}`,
      host: `127.${1 + (k % 200)}.${n >> 8}.${n & 255}`,
      port: agentPort,
      weight: 1,
      version: 1,
      tags: {},
      zone: '',
      health: 'healthy' as const,
    })),
  };
}

function publish(): void {
  revision += 1;
  translate({ revision, generation: revision, services: [...services], routes: [] });
}

function flip(n: number): void {
  const index = n % services.length;
  const old = services[index];
  if (old === undefined) return;
  const [first, ...rest] = old.instances;
  if (first === undefined) return;
  const weight = first.weight === 1 ? 2 : 1;
  services[index] = { ...old, instances: [{ ...first, weight }, ...rest] };
}

async function start(command: HostCommand & { do: 'start' }): Promise<void> {
  gateway = ServiceGateway.parse({ healthCheck: { type: command.check } });
  const xds = await startXdsServer({
    host: '127.0.0.1',
    port: 0,
    log: createLog('silent'),
    now: () => Date.now(),
    measure: (one) => {
      if (one.kind !== 'ack') return;
      worst = Math.max(worst, one.convergenceMs);
      if (one.type === 'cds') clusterAckedAt = performance.now();
    },
  });
  port = xds.port;
  const translator = createTranslator({
    gateway: { host: '127.0.0.1', port: command.gatewayPort },
    controlPlaneCluster: 'xds',
    sessionReportMs: 10_000,
    signals: () => undefined,
    instanceToken: (instance) => instance,
    policies: new Map(routingPolicies.map((policy) => [policy.name, policy])),
  });
  translate = (fleet) => {
    xds.publish(translator.translate(fleet).snapshot);
  };
  acked = async (wanted) => {
    const { pending } = await xds.whenAcked(wanted, 30_000, new AbortController().signal);
    if (pending.length > 0) throw new Error(`${pending.length} streams are behind`);
  };
  services = Array.from({ length: command.services }, (_, n) => service(n, command.instances, command.agentPort));
  publish();
}

async function run(command: HostCommand): Promise<Partial<HostAnswer>> {
  if (command.do === 'start') {
    await start(command);
    return { port };
  }
  if (command.do === 'usage') return {};
  if (command.do === 'churn') {
    worst = 0;
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const began = performance.now();
    for (let n = 0; n < command.perSecond * command.seconds; n += 1) {
      flip(n * 7);
      publish();
      const ahead = began + (n * 1000) / command.perSecond - performance.now();
      if (ahead > 1) await sleep(ahead);
      else if (n % 4 === 0) await new Promise(setImmediate);
    }
    delay.disable();
    await acked(revision);
    return { worstMs: worst, delayP99Ms: delay.percentile(99) / 1e6 - 5 };
  }
  const [ms, clusterMs]: [number[], number[]] = [[], []];
  for (let n = 0; n < command.count; n += 1) {
    const began = performance.now();
    if (command.do === 'endpoint') flip(n * 7);
    else services.push(service(services.length, 10, 9));
    publish();
    await acked(revision);
    ms.push(performance.now() - began);
    if (command.do === 'service') clusterMs.push(clusterAckedAt - began);
    // As changes come: one after another, not all in one turn, and apart from each other.
    await sleep(command.do === 'endpoint' ? 8 : 30);
  }
  return { ms, clusterMs };
}

process.on('message', (command: HostCommand) => {
  const before = process.cpuUsage();
  void run(command).then((answer) => {
    const { user, system } = process.cpuUsage(command.do === 'usage' ? undefined : before);
    if (command.do === 'usage') (globalThis as { gc?: () => void }).gc?.();
    process.send?.({
      cpuMs: (user + system) / 1000,
      rssMib: process.memoryUsage.rss() / 1024 / 1024,
      ...answer,
    } satisfies HostAnswer);
  });
});
