import { z } from 'zod';
import { Condition } from '../../model/meta.ts';
import { ROLLOUT_PHASES } from '../../model/rollout.ts';
import { Service } from '../../model/service.ts';
import { Version } from '../../model/version.ts';
import { Difference } from '../../model/write.ts';
import { itemsOf, pageOf } from './list.ts';

/** In few words; the whole of it is GET /v1/rollouts/{service}. */
const RolloutBrief = z
  .strictObject({
    from: z.int().min(0),
    to: z.int().min(0),
    phase: z.enum(ROLLOUT_PHASES),
    stage: z.int().min(0),
    weight: z.number().min(0).max(100).describe('Percent of new sessions that go to the new version.'),
    reason: z.string(),
    message: z.string(),
  })
  .meta({ id: 'RolloutBrief' });
export type RolloutBrief = Readonly<z.infer<typeof RolloutBrief>>;

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
    rollout: RolloutBrief.nullable().describe(
      'One that goes on, waits for a person (paused), or has taken the wanted version back (aborted); null: there is none.',
    ),
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
