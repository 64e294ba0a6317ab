/**
 * Clients that the agent itself turns away (401, 403). One client with a bad token may come again each second, and its cookie brings it to the
 * same version each time: that the new version turns away more is its fault only when it also lets in fewer than its share of new sessions.
 */
import { z } from 'zod';
import { compare } from '../compare.ts';
import type { Metric } from '../metric.ts';
import { fewerThanRate, worseThanRate } from '../statistics.ts';

const Options = z.strictObject({ tolerance: z.number().min(0).max(1).default(0.05) });

/** How likely a version that lets in half of its share may look like one that passes. */
const OVERLOOKED = 0.05;

export const turnedAway: Metric<z.infer<typeof Options>> = {
  name: 'turned-away',
  about:
    'Clients that the agent turns away with 401 or 403, as a share of those that came; `tolerance` as for connect-success. Fails only if fewer are let in than its share of new sessions too.',
  options: Options,
  create:
    ({ tolerance }) =>
    async (input) => {
      const { canary, stable, weight } = input;
      const reading = compare(
        {
          what: 'clients were turned away',
          canary: { bad: canary.turnedAway, all: canary.turnedAway + canary.opened },
          stable: { bad: stable.turnedAway, all: stable.turnedAway + stable.opened },
          tolerance,
        },
        // How many must have come is for connect-success to say.
        { ...input, minSample: 0 },
      );
      if (reading.verdict !== 'fail') return reading;
      const letIn = { bad: canary.opened, all: canary.opened + stable.opened };
      const share = weight / 100;
      const figures = `${reading.message}; it let in ${letIn.bad} of all ${letIn.all}, at ${weight} % of new sessions`;
      if (fewerThanRate(letIn, share) < input.falseAlarm) return { verdict: 'fail', message: figures };
      return worseThanRate(letIn, share / 2) < OVERLOOKED
        ? { verdict: 'pass', message: `${figures}: some client comes again and again` }
        : { verdict: 'waiting', message: `${figures}: more are needed to tell its fault from that of a client` };
    },
};
