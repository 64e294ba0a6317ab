/** What the whole installation is doing: the answer of `switchboard status` and /readyz. */
import { z } from 'zod';
import { Timestamp } from './meta.ts';

const Pid = z.int().min(0);
const Port = z.int().min(0).max(65_535);
const Listener = z.strictObject({ url: z.string(), host: z.string(), port: Port });

const EnvoyStatus = z.strictObject({
  state: z.enum(['starting', 'running', 'draining', 'backoff', 'stopped']),
  pid: Pid.nullable(),
  version: z.string(),
  adopted: z.boolean().describe('It was found running when the control plane started.'),
  startedAt: Timestamp.nullable(),
  restarts: z.int().min(0),
  reason: z
    .string()
    .describe('What is wrong with it, or how it ended by itself, with the last line of its log; empty: nothing.'),
  former: z
    .strictObject({ pid: Pid, since: Timestamp, until: Timestamp.nullable() })
    .nullable()
    .describe('One that was replaced and serves on what it has open. At `until` it is ended; null: never.'),
  outdated: z
    .array(z.string())
    .readonly()
    .describe('Settings that it was started with and that are others now: they hold after `gateway restart`.'),
});
export type EnvoyStatus = Readonly<z.infer<typeof EnvoyStatus>>;

export const SystemStatus = z
  .strictObject({
    version: z.string(),
    startedAt: Timestamp,
    revision: z.int().min(0),
    controlPlane: z.strictObject({ pid: Pid, node: z.string() }),
    gateway: Listener.describe('`url` is what clients use: ws://127.0.0.1:8800'),
    api: Listener,
    xds: z.strictObject({ host: z.string(), port: Port }),
    data: z.string(),
    envoy: EnvoyStatus,
    agents: z
      .array(
        z.strictObject({
          instance: z.string(),
          service: z.string(),
          state: z.string(),
          pid: Pid.nullable(),
          address: z.string().nullable(),
        }),
      )
      .readonly(),
    sessions: z.strictObject({ open: z.int().min(0), settled: z.boolean() }),
  })
  .meta({ id: 'SystemStatus' });
export type SystemStatus = Readonly<z.infer<typeof SystemStatus>>;

export const ReadinessCheck = z.strictObject({ name: z.string(), ok: z.boolean(), message: z.string() });
export type ReadinessCheck = Readonly<z.infer<typeof ReadinessCheck>>;

export const RevisionTimeline = z.strictObject({
  revision: z.int().min(0),
  committedAt: Timestamp,
  publishedAt: Timestamp.nullable(),
  changes: z.array(z.strictObject({ op: z.enum(['put', 'delete']), key: z.string() })).readonly(),
  gateways: z
    .array(
      z.strictObject({
        node: z.string(),
        state: z.enum(['acked', 'pending', 'refused']),
        sentAt: Timestamp.nullable(),
        at: Timestamp.nullable().describe('When it was acknowledged.'),
        message: z.string(),
      }),
    )
    .readonly(),
});
export type RevisionTimeline = Readonly<z.infer<typeof RevisionTimeline>>;
