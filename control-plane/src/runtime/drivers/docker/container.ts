/** What the engine is asked to create for an instance, and what is read back from it. Pure. */
import type { ContainerCreateOptions, ContainerInspectInfo } from 'dockerode';
import { reachableHost } from '../../../model/listen-host.ts';
import { sizeBytes } from '../../../model/units.ts';
import type { Exit, Running, StartRequest } from '../../runtime.ts';
import { fillTemplate, type TemplateValues } from '../../../model/template.ts';
import type { LaunchOptions } from './launch.ts';

/** Labels that say whose a container is. Never values of the environment. */
export const LABELS = {
  installation: 'io.switchboard.installation',
  instance: 'io.switchboard.instance',
  service: 'io.switchboard.service',
  version: 'io.switchboard.version',
  host: 'io.switchboard.host',
  port: 'io.switchboard.port',
  memoryLimit: 'io.switchboard.memory-limit',
} as const;

export const WORKDIR = '/workdir';
export const SECRETS = '/run/secrets';

/** Above every pid that Linux gives: a container that has ended has no process, and nobody must be signalled in its place. */
const NO_PID = 2 ** 22 + 1;

/** 100 of ours are everybody's share; the engine's measure for that is 1024, and less than 2 it does not take. */
const SHARES_PER_WEIGHT = 10.24;

export interface Placement {
  readonly installation: string;
  readonly network: 'host' | 'bridge';
  /** Where it listens, on this machine. */
  readonly host: string;
  readonly port: number;
  /** On this machine: the instance's working folder, and its secrets where it has any. */
  readonly workdir: string;
  readonly secrets: string | undefined;
  readonly logs: { readonly maxBytes: number; readonly files: number };
}

export function containerName(installation: string, instance: string): string {
  return `switchboard-${installation.slice(0, 6)}-${instance}`;
}

/** What the templates stand for inside the container. */
export function templateValues(request: StartRequest, options: LaunchOptions, place: Placement): TemplateValues {
  const inside = place.network === 'bridge';
  return {
    port: String(inside ? (options.containerPort ?? place.port) : place.port),
    host: inside ? '0.0.0.0' : place.host,
    instance: request.instance,
    service: request.service,
    workdir: WORKDIR,
  };
}

export function creation(
  request: StartRequest,
  options: LaunchOptions,
  place: Placement,
  env: Readonly<Record<string, string>>,
): ContainerCreateOptions {
  const { launch, instance, service, version } = request;
  const values = templateValues(request, options, place);
  const filled = (parts: readonly string[]): string[] => parts.map((part) => fillTemplate(part, values));
  const { limits } = launch;
  const port = `${values.port}/tcp`;
  return {
    name: containerName(place.installation, instance),
    Image: launch.image ?? '',
    ...(launch.command === undefined ? {} : { Cmd: filled(launch.command) }),
    ...(options.entrypoint === undefined ? {} : { Entrypoint: filled(options.entrypoint) }),
    ...(launch.cwd === undefined ? {} : { WorkingDir: fillTemplate(launch.cwd, values) }),
    ...(options.user === undefined ? {} : { User: options.user }),
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    Labels: {
      [LABELS.installation]: place.installation,
      [LABELS.instance]: instance,
      [LABELS.service]: service,
      [LABELS.version]: String(version),
      [LABELS.host]: place.host,
      [LABELS.port]: String(place.port),
      ...(launch.memoryLimit === undefined ? {} : { [LABELS.memoryLimit]: String(sizeBytes(launch.memoryLimit)) }),
    },
    ...(place.network === 'bridge' ? { ExposedPorts: { [port]: {} } } : {}),
    HostConfig: {
      NetworkMode: place.network,
      ...(place.network === 'bridge'
        ? { PortBindings: { [port]: [{ HostIp: place.host, HostPort: String(place.port) }] } }
        : {}),
      // The reconcile loop decides about restarts; the engine doing so too would start things twice.
      RestartPolicy: { Name: 'no' },
      Binds: [
        `${place.workdir}:${WORKDIR}`,
        ...(place.secrets === undefined ? [] : [`${place.secrets}:${SECRETS}:ro`]),
        ...options.mounts.map(({ source, target, readOnly }) => `${source}:${target}${readOnly ? ':ro' : ''}`),
      ],
      LogConfig: {
        Type: 'json-file',
        Config: { 'max-size': String(place.logs.maxBytes), 'max-file': String(place.logs.files) },
      },
      SecurityOpt: ['no-new-privileges'],
      ...(limits?.memory === undefined
        ? {}
        : { Memory: sizeBytes(limits.memory), MemorySwap: sizeBytes(limits.memory) }),
      ...(limits?.cpus === undefined ? {} : { NanoCpus: Math.round(limits.cpus * 1e9) }),
      ...(limits?.cpuWeight === undefined
        ? {}
        : { CpuShares: Math.max(2, Math.round(limits.cpuWeight * SHARES_PER_WEIGHT)) }),
      ...(limits?.processes === undefined ? {} : { PidsLimit: limits.processes }),
      ...(limits?.openFiles === undefined
        ? {}
        : { Ulimits: [{ Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles }] }),
    },
  };
}

/** Undefined: it is no container of an instance. */
export function runningOf({ Id, State, Config, Created }: ContainerInspectInfo): Running | undefined {
  const label = (name: keyof typeof LABELS): string | undefined => Config.Labels[LABELS[name]];
  const instance = label('instance');
  const port = Number(label('port'));
  if (instance === undefined || !Number.isInteger(port)) return undefined;
  return {
    instance,
    service: label('service') ?? '',
    version: Number(label('version')),
    address: { host: reachableHost(label('host') ?? '127.0.0.1'), port },
    // Container and start time tell one run from every other, also where the pid is that of another machine.
    process: { pid: State.Pid > 0 ? State.Pid : NO_PID, startTime: `${Id.slice(0, 12)}@${State.StartedAt}` },
    startedAt: new Date(Date.parse(State.StartedAt) > 0 ? State.StartedAt : Created).toISOString(),
  };
}

export function memoryLimitOf({ Config }: ContainerInspectInfo): number | undefined {
  const text = Config.Labels[LABELS.memoryLimit];
  return text === undefined ? undefined : Number(text);
}

export function exitOf({ State }: ContainerInspectInfo, log: readonly string[]): Exit {
  return {
    code: State.ExitCode,
    signal: null,
    log,
    ...(State.OOMKilled ? { cause: { reason: 'OutOfMemory', message: 'it ran out of memory' } as const } : {}),
  };
}
