/** A Service is one agent service: what runs (launch), how many, how it is probed, drained and reached. */
import { z } from 'zod';
import { isDnsName } from './address.ts';
import { AgentTls } from './agent-tls.ts';
import { Affinity } from './affinity.ts';
import { HealthRules } from './health.ts';
import { Hooks } from './hooks.ts';
import { SessionLimits } from './limits.ts';
import { Labels, Name, stored } from './meta.ts';
import { Autoscale } from './autoscale.ts';
import { RolloutStrategy } from './rollout.ts';
import { plainLine, plainText, withoutNul } from './plain-text.ts';
import { Probe } from './probe.ts';
import { isIP } from 'node:net';
import { Duration, PositiveDuration, Size } from './units.ts';

/** A value in clear, or a reference that is read when the process starts and is never stored or shown. */
export const EnvValue = z.union([
  withoutNul(z.string().max(32_768)),
  z.strictObject({ fromEnv: z.string().min(1) }),
  z.strictObject({ fromFile: z.string().min(1) }),
]);
export type EnvValue = z.infer<typeof EnvValue>;

/** What one instance may take of its machine. What a runtime can't enforce it refuses. */
export const Limits = z.strictObject({
  /** The kernel ends an instance that wants more. */
  memory: Size.optional(),
  /** Cores at most, such as 1.5. */
  cpus: z.number().positive().max(1024).optional(),
  /** Share of a busy processor against others; 100 is everybody's share. */
  cpuWeight: z.int().min(1).max(10_000).optional(),
  /** Processes and, in containers, threads at a time: what stops a fork bomb. */
  processes: z.int().min(1).max(1_000_000).optional(),
  /** Files and sockets that one process may have open. */
  openFiles: z.int().min(16).max(10_000_000).optional(),
});
export type Limits = z.infer<typeof Limits>;

/**
 * `{port}`, `{host}`, `{instance}`, `{service}`, `{workdir}` are replaced in command, cwd and env; every other text in braces stays as it is written.
 * `{{port}}` stands for the text `{port}`.
 */
export const Launch = z
  .strictObject({
    /** Program and arguments; in a container what the image's entry point gets, and by default the image's own. */
    command: z
      .array(withoutNul(z.string().min(1).max(4096)))
      .min(1)
      .max(256)
      .optional(),
    /** For runtimes that start containers. */
    image: plainLine(512).min(1).optional(),
    /** The process's folder. Default: the instance's own working folder. Relative paths start at the control plane's folder. */
    cwd: withoutNul(z.string().min(1).max(4096)).optional(),
    env: z
      .record(
        z
          .string()
          .regex(
            /^[A-Za-z_][A-Za-z0-9_]*$/,
            'must have letters, digits and underscores only, and not begin with a digit',
          ),
        EnvValue,
      )
      .default({}),
    /** The process group is restarted (after a drain) when it holds more than this. */
    memoryLimit: Size.optional(),
    limits: Limits.optional(),
    /** The runtime's own options; its driver checks them. */
    options: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'Launch' });
export type Launch = z.infer<typeof Launch>;

export const Restart = z.strictObject({
  initialBackoff: Duration.default('1s'),
  maxBackoff: Duration.default('60s'),
  /** Uptime after which the backoff starts anew. */
  resetAfter: Duration.default('60s'),
  /** This many failures within `window` make the instance `failed`: a crash loop. */
  maxFailures: z.int().min(1).max(1000).default(5),
  window: Duration.default('10m'),
});
export type Restart = z.infer<typeof Restart>;

export const Drain = z.strictObject({
  /** How long open sessions may go on once an instance is to stop. What is open then is ended. */
  deadline: Duration.default('1h'),
  /** From SIGTERM to SIGKILL. */
  stopGrace: Duration.default('30s'),
});
export type Drain = z.infer<typeof Drain>;

/**
 * Envoy's own check of each instance, which works while the control plane is away: one that fails it gets no new sessions. `auto` fits the probe: an
 * http probe's GET for an agent with one, else a TCP connection, which no log is filled by. `http`: any answer below 500 passes. `websocket`: a
 * handshake that is cut, without a close frame, after the 101: many servers write such an end to their log.
 */
export const HealthCheck = z.strictObject({
  type: z.enum(['auto', 'http', 'websocket', 'tcp', 'off']).default('auto'),
  /** For `http` and `websocket`. Default: the probe's, else /. */
  path: z
    .string()
    .startsWith('/')
    .max(1024)
    .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without white space')
    .optional(),
  /** While it passes; after a failure it is checked again after a second, and while it fails every five. */
  interval: PositiveDuration.default('30s'),
  timeout: PositiveDuration.default('1s'),
  unhealthyAfter: z.int().min(1).max(100).default(2),
});
export type HealthCheck = z.infer<typeof HealthCheck>;

/** Policies that a client may be given beside the service's own. */
export const HintedPolicy = z.enum(['round-robin', 'random', 'least-connections', 'weighted', 'performance', 'hash']);
export type HintedPolicy = z.infer<typeof HintedPolicy>;

/**
 * Calls of plain HTTP beside the sessions: pages, uploads, downloads, streams of events. An agent gets each once: only what no instance can have
 * received is tried at another. There is no limit on the whole of an answer: what flows goes on.
 */
export const PlainHttp = z.strictObject({
  /** From the whole request to the first byte of the agent's answer; then 504. `off`: no limit. */
  responseTimeout: z.union([z.literal('off'), PositiveDuration]).default('5m'),
});
export type PlainHttp = z.infer<typeof PlainHttp>;

/** How Envoy treats the service's sessions. */
const GatewayFields = z.strictObject({
  policy: z
    .strictObject({
      type: z.string().min(1).default('least-connections'),
      options: z.record(z.string(), z.unknown()).default({}),
    })
    .prefault({}),
  /** From the upgrade request to the agent's 101, over all tries; then 504. */
  handshakeTimeout: PositiveDuration.default('10s'),
  /**
   * A handshake that has no answer after this is made at one other instance too, since a process that hangs takes it and never answers. The first is
   * not given up: whichever answers first has the session, the other's connection is closed. So one that is merely slow is made twice at most, and
   * once at a service that has one instance.
   * `off`: never twice because it is slow, for agents whose handshake does what must be done once; one that meets a hanging instance waits for
   * `handshakeTimeout`, until the health check has found that instance.
   */
  attemptTimeout: z.union([z.literal('off'), PositiveDuration]).default('1s'),
  /** Absent: as if empty. */
  http: PlainHttp.optional(),
  /** A session, or a plain HTTP call, on which neither side sends a byte for this long is ended. `off`: never. */
  idleTimeout: z.union([z.literal('off'), Duration]).default('off'),
  /** More sessions than this on the whole service get 503 at once. */
  maxSessions: z.int().min(1).max(10_000_000).optional(),
  healthCheck: HealthCheck.prefault({}),
  /** Absent: a client that comes back is placed anew. */
  affinity: Affinity.optional(),
  /** TLS to the agents, 1.2 or 1.3. Absent: plain. */
  tls: AgentTls.optional(),
  /**
   * The Host that agents get: the client's, or the DNS name that their address stands under in `spec.addresses` (then the client's is in
   * X-Forwarded-Host), as balancers and virtual hosts want it.
   */
  hostHeader: z.enum(['client', 'address']).default('client'),
  limits: SessionLimits.optional(),
  /**
   * Request headers whose names have an underscore. `drop`: they don't reach the agent, since servers that read an underscore as a hyphen could be
   * deceived by them; `pass`: they do, except those that would pass for what the gateway itself says (`X_Forwarded_For`).
   */
  headersWithUnderscores: z.enum(['drop', 'pass']).default('drop'),
  /** Clients at `/ws` may ask for these by `routing_hint`. Each is a cluster more in Envoy, with its checks. Others get the service's own policy. */
  hints: z.array(HintedPolicy).max(6).optional(),
});
export const ServiceGateway = GatewayFields.refine(
  ({ hints = [], maxSessions }) => hints.length === 0 || maxSessions === undefined,
  {
    path: ['hints'],
    error:
      'can not stand beside maxSessions, which each policy would count for itself; limits.sessionsPerInstance counts all',
  },
);
export type ServiceGateway = z.infer<typeof ServiceGateway>;

export const Address = z.strictObject({
  host: z.string().refine((host) => isIP(host) !== 0, 'must be an IP address'),
  port: z.int().min(1).max(65_535),
});
export type Address = z.infer<typeof Address>;

/** Where instances of an external service are: one at an IP address, or one at each address of a DNS name. */
export const FixedAddress = z.strictObject({
  /** An IP address, or a DNS name, which is looked up again and again: its instances follow what it stands for. */
  host: z
    .string()
    .max(253)
    .toLowerCase()
    .refine(
      (host) => isIP(host) !== 0 || isDnsName(host),
      'must be an IP address or a DNS name, without scheme, brackets or port',
    ),
  port: Address.shape.port,
  tags: Labels.optional(),
  zone: plainLine(63).optional(),
  weight: z.int().min(1).max(1000).optional(),
});
export type FixedAddress = z.infer<typeof FixedAddress>;

export const ServiceSpec = z
  .strictObject({
    description: plainText(1000).optional(),
    /** Which runtime makes instances: `process` needs `launch`; `external` takes `addresses` or waits for registrations. */
    runtime: z.string().min(1).default('process'),
    launch: Launch.optional().describe('Needed by every runtime but `external`, which has none.'),
    /** Fixed addresses of an external service. Others may register themselves over the API beside them. */
    addresses: z.array(FixedAddress).max(10_000).optional().describe('For runtime `external` alone.'),
    /** False: no instance runs, whatever `replicas` says. `switchboard stop` and `start` set it. */
    enabled: z.boolean().default(true),
    replicas: z.int().min(0).max(1000).default(1),
    /** Services that must have a ready instance before one of this service is started. */
    dependsOn: z.array(Name).max(32).optional(),
    /** An instance is replaced, new one first, somewhat before it is this old. */
    maxAge: PositiveDuration.optional(),
    /** The number of instances follows the load; `replicas` is then what it begins with. */
    autoscale: Autoscale.optional(),
    tags: Labels.default({}),
    probe: Probe.prefault({}),
    /** More checks, and what follows from a bad verdict. */
    health: HealthRules.optional(),
    restart: Restart.prefault({}),
    drain: Drain.prefault({}),
    /** How a new version takes over. */
    rollout: RolloutStrategy.prefault({ strategy: 'rolling' }),
    gateway: ServiceGateway.prefault({}),
    /** What the agent can be asked over HTTP. */
    hooks: Hooks.optional(),
  })
  .meta({ id: 'ServiceSpec' });
export type ServiceSpec = z.infer<typeof ServiceSpec>;

export const ServiceDocument = z.strictObject({
  kind: z.literal('Service'),
  name: Name,
  labels: Labels.default({}),
  spec: ServiceSpec,
});
export type ServiceDocument = z.infer<typeof ServiceDocument>;

/** As stored. */
export const Service = ServiceDocument.extend({
  version: z.int().min(0).describe('Number of the Version that new instances run.'),
  ...stored,
});
export type Service = z.infer<typeof Service>;
