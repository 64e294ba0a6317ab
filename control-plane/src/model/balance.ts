/** How evenly a service's open sessions lie on its instances, and the request to make it even. */
import { z } from 'zod';

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

export interface BalanceShare {
  readonly instance: string;
  readonly weight: number;
  readonly sessions: number;
  /** What it would have if all were even, by weight. */
  readonly even: number;
  /** More than its even share; 0: none. */
  readonly excess: number;
}

export interface Balance {
  readonly service: string;
  readonly sessions: number;
  /** Largest share against smallest, each by its weight; 1 is even, null: an instance has none. */
  readonly ratio: number | null;
  readonly isEven: boolean;
  /** Sessions that would have to move. */
  readonly toMove: number;
  readonly shares: readonly BalanceShare[];
  /** Whether new sessions can be steered, and why not. */
  readonly steering: { readonly possible: boolean; readonly reason: string };
  /** Whether live sessions can be moved, and why not. */
  readonly moving: { readonly possible: boolean; readonly reason: string };
  readonly running: {
    readonly mode: 'steer' | 'move';
    readonly startedAt: string;
    readonly moved: number;
    readonly message: string;
  } | null;
}
