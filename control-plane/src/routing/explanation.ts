/** The answer to where a request would go, and why. */
import { z } from 'zod';
import { Finding } from '../model/request.ts';

export const PassedOver = z.strictObject({
  route: z.string(),
  because: z.string().describe('The first condition that does not hold.'),
});
export type PassedOver = Readonly<z.infer<typeof PassedOver>>;

const Candidate = z.strictObject({
  instance: z.string(),
  eligible: z.boolean(),
  sessions: z.int().nullable(),
  share: z.number().describe('Share of the weight of all that are eligible, 0 to 1.'),
  reason: z.string(),
});

const Destination = z.strictObject({
  service: z.string(),
  share: z.number().describe("Of the route's requests, 0 to 1."),
  policy: z.strictObject({ type: z.string(), about: z.string(), problem: z.string().nullable() }),
  affinity: z.strictObject({ instance: z.string().nullable(), reason: z.string() }).nullable(),
  candidates: z.array(Candidate).readonly(),
});
export type Destination = Readonly<z.infer<typeof Destination>>;

export const Explanation = z.strictObject({
  route: z.strictObject({
    name: z.string(),
    conditions: z.array(Finding).readonly(),
    passedOver: z.array(PassedOver).readonly(),
  }),
  target: z.string().nullable(),
  destinations: z.array(Destination).readonly(),
  outcome: z.string().describe('One sentence.'),
});
export type Explanation = Readonly<z.infer<typeof Explanation>>;
