/** How many instances a service has when their number follows its load, and why it has that many. */
import { z } from 'zod';
import { Name, Timestamp } from './meta.ts';
import { Share } from './rollout.ts';
import { PositiveDuration, Size } from './units.ts';

/** A floor at certain times. The time zone is that of the cron expression, by default UTC. */
export const ScheduledFloor = z.strictObject({
  cron: z.string().min(1).max(200),
  timezone: z.string().min(1).max(64).default('UTC'),
  /** How long it holds from each of those times. */
  for: PositiveDuration,
  replicas: z.int().min(1).max(1000),
});
export type ScheduledFloor = z.infer<typeof ScheduledFloor>;

export const Autoscale = z
  .strictObject({
    min: z.int().min(0).max(1000).default(1),
    max: z.int().min(1).max(1000).default(10),
    /** Open sessions that one instance can hold. */
    sessions: z.int().min(1).max(1_000_000).optional(),
    /** Share of `sessions` to keep each instance at. */
    utilization: z.number().min(0.05).max(1).default(0.7),
    /** Sessions for which there is always room, whatever the utilization. Needs `sessions`. */
    freeSlots: z.int().min(1).max(1_000_000).optional(),
    /** Cores in use by an instance. */
    cpu: z.number().min(0.01).max(1024).optional(),
    /** Memory of an instance. */
    memory: Size.optional(),
    /** The agents' own report of how busy they are, 0 to 1. */
    load: z.number().min(0.05).max(1).optional(),
    schedule: z.array(ScheduledFloor).max(32).default([]),
    /** Your service at this address gets a POST with the signals and answers `{replicas, message}`: a floor. */
    webhook: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional(),
    /** No move while the load is within this share of the target. */
    tolerance: z.number().min(0).max(0.9).default(0.1),
    stableWindow: PositiveDuration.default('60s'),
    /** So short a time of so much more load is answered at once. */
    panicWindow: PositiveDuration.default('6s'),
    panicThreshold: z.number().min(1.1).max(100).default(2),
    scaleUp: z
      .strictObject({
        /** In each `period` at most the greater of the two more. */
        instances: z.int().min(1).max(1000).default(4),
        share: Share.default('100%'),
        period: PositiveDuration.default('15s'),
      })
      .prefault({}),
    scaleDown: z
      .strictObject({
        /** The highest wish of this time counts. */
        stabilization: PositiveDuration.default('5m'),
        /** In each `period` at most so many begin to drain. */
        instances: z.int().min(1).max(1000).default(1),
        period: PositiveDuration.default('60s'),
      })
      .prefault({}),
    /** With `min: 0`: without a session for `idle` nothing runs; the next client is held while an instance starts. */
    zero: z
      .strictObject({
        idle: PositiveDuration.default('5m'),
        /** How long a client is held. */
        startTimeout: PositiveDuration.default('60s'),
        /** More are turned away at once. */
        maxWaiting: z.int().min(1).max(100_000).default(1000),
      })
      .optional(),
  })
  .refine(({ min, max }) => min <= max, { path: ['max'], error: 'must not be less than min' })
  .refine(({ freeSlots, sessions }) => freeSlots === undefined || sessions !== undefined, {
    path: ['freeSlots'],
    error: 'needs sessions, which says how many one instance holds',
  })
  .refine(({ min, zero }) => min > 0 || zero !== undefined, {
    path: ['min'],
    error: 'may be 0 only with zero, which says when nothing runs and how long a client is held then',
  })
  .refine(
    ({ sessions, cpu, memory, load, schedule, webhook, zero }) =>
      [sessions, cpu, memory, load, webhook, zero].some((one) => one !== undefined) || schedule.length > 0,
    {
      path: ['sessions'],
      error: 'name at least one thing to follow: sessions, cpu, memory, load, schedule, webhook or zero',
    },
  )
  .meta({ id: 'Autoscale' });
export type Autoscale = z.infer<typeof Autoscale>;

/** What is known of the service at one moment. Absent: not known, which never speaks for a move. */
const ScaleSample = z.strictObject({
  at: z.number().describe('Milliseconds since the epoch.'),
  sessions: z.number().exactOptional().describe('Open ones.'),
  waiting: z.number().exactOptional().describe('Clients that are held until an instance is there.'),
  ready: z.number().describe('Instances that are ready for sessions.'),
  replicas: z.number().describe('Instances that are wanted now.'),
  cpuCores: z.number().exactOptional().describe('In use by all instances together.'),
  memoryBytes: z.number().exactOptional().describe('In use by all instances together.'),
  load: z.number().exactOptional().describe("Sum of the agents' own reports, each 0 to 1."),
  asked: z.number().exactOptional().describe('What the webhook answered last.'),
});
export type ScaleSample = Readonly<z.infer<typeof ScaleSample>>;

/** The number of instances that is wanted now, kept apart from the spec. */
export const Scale = z.strictObject({
  kind: z.literal('Scale'),
  service: Name,
  replicas: z.int().min(0).max(1000),
  /** One CamelCase word and a sentence with the figures that led to it. */
  reason: z.string(),
  message: z.string(),
  since: Timestamp,
});
export type Scale = z.infer<typeof Scale>;

/** One look of the autoscaler, with its inputs. */
export const ScaleDecision = z.strictObject({
  at: Timestamp,
  from: z.int().min(0),
  to: z.int().min(0),
  reason: z.string(),
  message: z.string(),
  sample: ScaleSample,
  wishes: z
    .array(z.strictObject({ signal: z.string(), instances: z.number() }))
    .readonly()
    .describe('What each signal wished for.'),
});
export type ScaleDecision = Readonly<z.infer<typeof ScaleDecision>>;
