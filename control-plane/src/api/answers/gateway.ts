import { z } from 'zod';
import { DrainProgress, GatewayDrainProgress } from '../../model/drain.ts';
import { DriftReport, Refusal } from '../../model/gateway.ts';
import { Condition, Timestamp } from '../../model/meta.ts';
import { GatewaySync } from '../../xds/status.ts';

export const GatewayView = GatewaySync.extend({
  certificate: z
    .strictObject({ serial: z.string(), notAfter: Timestamp })
    .nullable()
    .describe('That it showed last; null: none yet.'),
  refusals: z.array(Refusal).readonly().describe('Resources that it refuses: it goes on with their last good form.'),
  conditions: z.array(Condition).readonly().describe('InSync false (Refused, Behind), Drift true; empty: all is well.'),
  drift: DriftReport.nullable().describe("Of the last comparison with Envoy's own view; null: none yet."),
}).meta({ id: 'GatewayView' });
export type GatewayView = Readonly<z.infer<typeof GatewayView>>;

export const GatewayDrains = z.strictObject({ gateways: z.array(GatewayDrainProgress).readonly() });
export type GatewayDrains = Readonly<z.infer<typeof GatewayDrains>>;

export const Drains = GatewayDrains.extend({ items: z.array(DrainProgress).readonly().describe('Of instances.') });
export type Drains = Readonly<z.infer<typeof Drains>>;
