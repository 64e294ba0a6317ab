import { z } from 'zod';
import { Condition } from '../../model/meta.ts';
import { Service } from '../../model/service.ts';
import { Version } from '../../model/version.ts';
import { Difference } from '../../model/write.ts';
import { itemsOf, pageOf } from './list.ts';

const ServiceState = z.enum(['ready', 'degraded', 'starting', 'stopped', 'failed', 'draining']);
export type ServiceState = z.infer<typeof ServiceState>;

export const ServiceView = Service.extend({
  revision: z.int().min(0),
  status: z.strictObject({
    state: ServiceState,
    message: z.string().describe('One sentence.'),
    ready: z.int().min(0),
    wanted: z.int().min(0),
    sessions: z.int().min(0),
    url: z.string().describe('Where clients connect.'),
    conditions: z
      .array(Condition)
      .readonly()
      .describe("What speaks against it, such as a gateway's refusal; empty: nothing."),
  }),
  instances: z.array(z.string()).readonly().describe('Their ids.'),
}).meta({ id: 'ServiceView' });
export type ServiceView = Readonly<z.infer<typeof ServiceView>>;

export const ServicePage = pageOf(ServiceView).extend({ revision: z.int().min(0).describe('Of the store.') });
export type ServicePage = Readonly<z.infer<typeof ServicePage>>;

export const Versions = itemsOf(Version);

export const VersionDiff = z.strictObject({ from: z.int(), to: z.int(), diff: z.array(Difference).readonly() });
export type VersionDiff = Readonly<z.infer<typeof VersionDiff>>;
