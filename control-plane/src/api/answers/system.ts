import { z } from 'zod';
import { Timestamp } from '../../model/meta.ts';
import { PLUGIN_KINDS } from '../../model/plugin.ts';
import { ReadinessCheck } from '../../model/system.ts';

export const Done = z.strictObject({ status: z.string() });
export type Done = Readonly<z.infer<typeof Done>>;

export const SignInCode = z.strictObject({ code: z.string(), expiresAt: Timestamp });
export type SignInCode = Readonly<z.infer<typeof SignInCode>>;

export const SignedIn = z.strictObject({ token: z.string() });
export type SignedIn = Readonly<z.infer<typeof SignedIn>>;

export const Readiness = z.strictObject({ ready: z.boolean(), checks: z.array(ReadinessCheck).readonly() });
export type Readiness = Readonly<z.infer<typeof Readiness>>;

export const PluginInfo = z.strictObject({
  kind: z.enum(PLUGIN_KINDS),
  name: z.string(),
  about: z.string().nullable().describe('One line; null: it says nothing of itself.'),
  from: z.string().nullable().describe('The module of the settings that brought it; null: built in.'),
  options: z.record(z.string(), z.unknown()).describe('JSON schema of its options.'),
});
export type PluginInfo = Readonly<z.infer<typeof PluginInfo>>;

export const OwnLog = z.strictObject({ lines: z.array(z.string()).readonly() });
export type OwnLog = Readonly<z.infer<typeof OwnLog>>;

/** One of GET /v1/timeseries/metrics. */
export const MetricView = z.strictObject({
  name: z.string(),
  kind: z.enum(['counter', 'gauge', 'histogram']),
  unit: z.string(),
  help: z.string(),
  labels: z.array(z.string()).readonly(),
  stats: z.array(z.string()).readonly(),
});
export type MetricView = Readonly<z.infer<typeof MetricView>>;
