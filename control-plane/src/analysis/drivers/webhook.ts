/** A service of the user's own decides. */
import { z } from 'zod';
import { messageOf } from '../../model/errors.ts';
import { askJson } from '../ask.ts';
import type { Metric } from '../metric.ts';

const Options = z.strictObject({
  /** Gets a POST with the figures of both versions. */
  url: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }),
});

const Answer = z.object({
  verdict: z.enum(['pass', 'fail', 'inconclusive', 'waiting']),
  message: z.string().max(1000).default(''),
});

export const webhook: Metric<z.infer<typeof Options>> = {
  name: 'webhook',
  about:
    'Your service at `url` gets both versions’ figures and answers `{verdict: pass | fail | inconclusive | waiting, message}`.',
  options: Options,
  create:
    ({ url }) =>
    async ({ service, canary, stable }, signal) => {
      try {
        const answer = Answer.safeParse(
          await askJson(new URL(url), {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ service, canary, stable }),
            signal,
          }),
        );
        if (!answer.success) throw new Error('the answer has no verdict of pass, fail, inconclusive or waiting');
        const { verdict, message } = answer.data;
        return { verdict, message: message === '' ? `the webhook says ${verdict}` : message };
      } catch (error) {
        return { verdict: 'inconclusive', message: messageOf(error) };
      }
    },
};
