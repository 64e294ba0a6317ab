/** What is as it is at a scrape: gauges, and counters that others keep. */
import { ROLLOUT_PHASES } from '../model/rollout.ts';
import type { Instruments } from './instruments.ts';
import { INSTANCE_LABEL, type SeriesName } from './series.ts';

export interface Present {
  readonly version: string;
  readonly startedAt: number;
  readonly revision: number;
  /** Those that are connected. */
  readonly gateways: readonly {
    readonly node: string;
    readonly ackedRevision: number;
    readonly types: Readonly<Record<string, { readonly state: string }>>;
    readonly refusals: readonly { readonly type: string }[];
    readonly drift: { readonly drift: readonly unknown[] } | null;
  }[];
  /** Those that are not. */
  readonly lostGateways: readonly string[];
  readonly services: readonly {
    readonly name: string;
    readonly wanted: number;
    readonly waiting: number;
    readonly sessionsPerInstance: number | undefined;
    readonly autoscale: { readonly min: number; readonly max: number } | undefined;
    readonly rollout: { readonly phase: string; readonly weight: number } | undefined;
  }[];
  readonly instances: readonly {
    readonly id: string;
    readonly service: string;
    readonly state: string;
    /** It takes new sessions. */
    readonly ready: boolean;
    readonly unhealthy: boolean;
    readonly sessions: number;
    /** Undefined: not known. */
    readonly cpuCores: number | undefined;
    readonly memoryBytes: number | undefined;
  }[];
  readonly certificates: readonly { readonly name: string; readonly notAfter: string }[];
  /** By reason, since the start. */
  readonly refusedCalls: ReadonlyMap<string, number>;
}

const STATES = ['SYNCED', 'STALE', 'NOT_SENT', 'ERROR'];

/** Gauges that are filled anew each time: what is no longer there is no longer told. */
const ANEW: readonly SeriesName[] = [
  'switchboard_gateway_connected',
  'switchboard_gateway_sync',
  'switchboard_gateway_acked_revision',
  'switchboard_gateway_refused_resources',
  'switchboard_gateway_drift',
  'switchboard_certificate_expiry_timestamp_seconds',
  'switchboard_sessions',
  'switchboard_session_capacity',
  'switchboard_clients_waiting',
  'switchboard_instances',
  'switchboard_instances_ready',
  'switchboard_instances_unhealthy',
  'switchboard_instances_wanted',
  'switchboard_autoscale_limit',
  'switchboard_rollout_phase',
  'switchboard_rollout_weight',
  'switchboard_cpu_cores',
  'switchboard_memory_bytes',
];

function fillGateways({ set }: Instruments, { gateways, lostGateways }: Present): void {
  for (const node of lostGateways) set('switchboard_gateway_connected', { gateway: node }, 0);
  for (const { node, ackedRevision, types, refusals, drift } of gateways) {
    set('switchboard_gateway_connected', { gateway: node }, 1);
    set('switchboard_gateway_acked_revision', { gateway: node }, ackedRevision);
    set('switchboard_gateway_drift', { gateway: node }, drift?.drift.length ?? 0);
    for (const [type, { state }] of Object.entries(types)) {
      for (const one of STATES)
        set('switchboard_gateway_sync', { gateway: node, type, state: one }, one === state ? 1 : 0);
      const refused = refusals.filter((one) => one.type === type).length;
      set('switchboard_gateway_refused_resources', { gateway: node, type }, refused);
    }
  }
}

function fillServices({ set, addTo }: Instruments, { services, instances }: Present, perInstance: boolean): void {
  for (const { name: service, wanted, waiting, autoscale, rollout } of services) {
    set('switchboard_instances_wanted', { service }, wanted);
    set('switchboard_clients_waiting', { service }, waiting);
    if (autoscale !== undefined)
      for (const bound of ['min', 'max'] as const)
        set('switchboard_autoscale_limit', { service, bound }, autoscale[bound]);
    if (rollout !== undefined) {
      for (const phase of ROLLOUT_PHASES)
        set('switchboard_rollout_phase', { service, phase }, phase === rollout.phase ? 1 : 0);
      if (rollout.phase === 'progressing' || rollout.phase === 'paused')
        set('switchboard_rollout_weight', { service }, rollout.weight / 100);
    }
    // At zero though there is no instance.
    if (perInstance) continue;
    set('switchboard_sessions', { service }, 0);
    set('switchboard_instances_ready', { service }, 0);
    set('switchboard_instances_unhealthy', { service }, 0);
  }
  const perInstanceLimit = new Map(services.map(({ name, sessionsPerInstance }) => [name, sessionsPerInstance]));
  for (const [service, limit] of perInstanceLimit)
    if (limit !== undefined) set('switchboard_session_capacity', { service }, 0);
  for (const { id, service, state, ready, unhealthy, sessions, cpuCores, memoryBytes } of instances) {
    const own = perInstance ? { service, [INSTANCE_LABEL]: id } : { service };
    addTo('switchboard_instances', { service, state }, 1);
    addTo('switchboard_sessions', own, sessions);
    addTo('switchboard_instances_ready', own, ready ? 1 : 0);
    addTo('switchboard_instances_unhealthy', own, unhealthy ? 1 : 0);
    if (cpuCores !== undefined) addTo('switchboard_cpu_cores', own, cpuCores);
    if (memoryBytes !== undefined) addTo('switchboard_memory_bytes', own, memoryBytes);
    const limit = perInstanceLimit.get(service);
    if (ready && limit !== undefined) addTo('switchboard_session_capacity', { service }, limit);
  }
}

/** Of the control plane itself; the function that it returns fills it in. */
function createOwn({ set, countTo }: Instruments): (present: Present) => void {
  let busy = performance.eventLoopUtilization();
  return ({ version, revision, startedAt }) => {
    set('switchboard_build_info', { version, node: process.version }, 1);
    set('switchboard_revision', {}, revision);
    const { user, system } = process.cpuUsage();
    countTo('process_cpu_seconds_total', {}, (user + system) / 1e6);
    const { rss, heapUsed } = process.memoryUsage();
    set('process_resident_memory_bytes', {}, rss);
    set('nodejs_heap_size_used_bytes', {}, heapUsed);
    set('process_start_time_seconds', {}, startedAt / 1000);
    const now = performance.eventLoopUtilization();
    set('nodejs_eventloop_utilization', {}, performance.eventLoopUtilization(now, busy).utilization);
    busy = now;
  };
}

export function createFill(instruments: Instruments, perInstance: boolean): (present: Present) => void {
  const fillOwn = createOwn(instruments);
  return (present) => {
    for (const name of ANEW) instruments.empty(name);
    fillGateways(instruments, present);
    fillServices(instruments, present, perInstance);
    for (const { name, notAfter } of present.certificates)
      instruments.set('switchboard_certificate_expiry_timestamp_seconds', { name }, Date.parse(notAfter) / 1000);
    for (const [reason, total] of present.refusedCalls)
      instruments.countTo('switchboard_wire_refused_calls_total', { reason }, total);
    fillOwn(present);
  };
}
