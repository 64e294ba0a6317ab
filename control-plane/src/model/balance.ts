/** How evenly a service's open sessions lie on its instances, and the request to make it even. */
import { z } from 'zod';
import { Timestamp } from './meta.ts';

export const RebalanceRequest = z.strictObject({
  /** steer: new sessions go to those with fewer until it is even; move: also live ones, by the agent's own close hook; stop: end what is under way. */
  mode: z.enum(['steer', 'move', 'stop']),
  /** Sessions a second that are moved at most. */
  rate: z.int().min(1).max(1_000).default(5),
  /** Sessions that are moved at most, in all. */
  most: z.int().min(1).max(100_000).default(1_000),
  dryRun: z.boolean().default(false),
});
export type RebalanceRequest = z.infer<typeof RebalanceRequest>;

const BalanceShare = z.strictObject({
  instance: z.string(),
  weight: z.number(),
  sessions: z.int().min(0),
  even: z.number().describe('What it would have if all were even, by weight.'),
  excess: z.number().describe('More than its even share; 0: none.'),
});
export type BalanceShare = Readonly<z.infer<typeof BalanceShare>>;

const Possible = z.strictObject({ possible: z.boolean(), reason: z.string() });

export const Balance = z
  .strictObject({
    service: z.string(),
    sessions: z.int().min(0),
    ratio: z
      .number()
      .nullable()
      .describe('Largest share against smallest, each by its weight; 1 is even, null: an instance has none.'),
    isEven: z.boolean(),
    toMove: z.int().min(0).describe('Sessions that would have to move.'),
    shares: z.array(BalanceShare).readonly(),
    steering: Possible.describe('Whether new sessions can be steered, and why not.'),
    moving: Possible.describe('Whether live sessions can be moved, and why not.'),
    running: z
      .strictObject({
        mode: z.enum(['steer', 'move']),
        startedAt: Timestamp,
        moved: z.int().min(0),
        message: z.string(),
      })
      .nullable(),
  })
  .meta({ id: 'Balance' });
export type Balance = Readonly<z.infer<typeof Balance>>;
