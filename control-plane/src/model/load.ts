/** Live signals of one instance: what routing by performance, balance and people look at. Absent means not known, never zero. */
import { z } from 'zod';
import { plainText } from './plain-text.ts';
import { Timestamp } from './meta.ts';

/** What an agent tells of itself. It counts until the next report, at most for a minute. */
export const LoadReport = z.strictObject({
  /** 0 idle, 1 full. */
  load: z.number().min(0).max(1),
  /** `full` and `degraded`: new sessions only if no other instance is well; `unhealthy`: none. */
  status: z.enum(['ok', 'degraded', 'full', 'unhealthy']).default('ok'),
  message: plainText(500).default(''),
});
export type LoadReport = z.infer<typeof LoadReport>;

export const HeldLoadReport = LoadReport.extend({ at: Timestamp }).meta({ id: 'HeldLoadReport' });
export type HeldLoadReport = Readonly<z.infer<typeof HeldLoadReport>>;

export const LoadSignals = z.strictObject({
  instance: z.string(),
  sessions: z.int().min(0).describe('Open sessions as the gateways count them.'),
  probeLatencyMs: z
    .number()
    .exactOptional()
    .describe("Milliseconds of the service's probe, smoothed over the last few."),
  errorRate: z
    .number()
    .exactOptional()
    .describe("Share of the gateway's requests to it that failed, 0 to 1, smoothed over about half a minute."),
  reported: HeldLoadReport.exactOptional(),
  cpuCores: z
    .number()
    .exactOptional()
    .describe("Cores that the instance's processes use, 1.5 is one and a half. Only where the runtime tells."),
  memoryBytes: z
    .number()
    .exactOptional()
    .describe("Resident memory of the instance's processes. Only where the runtime tells."),
});
export type LoadSignals = Readonly<z.infer<typeof LoadSignals>>;
