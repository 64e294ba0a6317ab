import { z } from 'zod';
import { HealthReport } from '../../model/health.ts';
import { Instance } from '../../model/instance.ts';
import { LogLine } from '../../model/log-line.ts';
import { Timestamp } from '../../model/meta.ts';

export const InstanceView = Instance.extend({
  revision: z.int().min(0),
  sessions: z.int().min(0),
  health: HealthReport.nullable(),
  usage: z
    .strictObject({ cpuCores: z.number(), memoryBytes: z.number() })
    .nullable()
    .describe('What its processes use, sampled every few seconds; null: not known, or not yet.'),
}).meta({ id: 'InstanceView' });
export type InstanceView = Readonly<z.infer<typeof InstanceView>>;

export const Registered = z.strictObject({
  instance: Instance,
  token: z.int().describe('For heartbeats, and to deregister.'),
  expiresAt: Timestamp,
  revision: z.int().min(0),
});
export type Registered = Readonly<z.infer<typeof Registered>>;

export const Heard = z.strictObject({
  expiresAt: Timestamp.describe('Until when it lives without another heartbeat.'),
});
export type Heard = Readonly<z.infer<typeof Heard>>;

export const LogLines = z.strictObject({ lines: z.array(LogLine).readonly().describe('Oldest first.') });
export type LogLines = Readonly<z.infer<typeof LogLines>>;
