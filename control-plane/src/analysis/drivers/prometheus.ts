/** A query of the user's own Prometheus. https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries */
import { z } from 'zod';
import { messageOf } from '../../model/errors.ts';
import { askJson } from '../ask.ts';
import type { Metric } from '../metric.ts';

const Options = z
  .strictObject({
    url: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }),
    /** `{service}`, `{version}` and `{stable}` are replaced. Must give one number. */
    query: z.string().min(1).max(4096),
    min: z.number().optional(),
    max: z.number().optional(),
  })
  .refine(({ min, max }) => min !== undefined || max !== undefined, { path: ['max'], error: 'min or max is required' });

const Answer = z.object({
  status: z.literal('success'),
  data: z.union([
    z.object({ resultType: z.literal('scalar'), result: z.tuple([z.number(), z.string()]) }),
    z.object({
      resultType: z.literal('vector'),
      result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })),
    }),
  ]),
});

function numberOf(answer: unknown): number {
  const parsed = Answer.safeParse(answer);
  if (!parsed.success) throw new Error('the answer is not that of an instant query');
  const { data } = parsed.data;
  const values = data.resultType === 'scalar' ? [data.result[1]] : data.result.map(({ value }) => value[1]);
  if (values.length !== 1) throw new Error(`the query gave ${values.length} series, not one`);
  const value = Number(values[0]);
  if (!Number.isFinite(value)) throw new Error(`the query gave ${values[0]}`);
  return value;
}

export const prometheus: Metric<z.infer<typeof Options>> = {
  name: 'prometheus',
  about: 'The number that a query of your Prometheus (`url`, `query`) gives is at least `min` and at most `max`.',
  options: Options,
  create:
    ({ url, query, min, max }) =>
    async ({ service, canary, stable }, signal) => {
      const target = new URL('api/v1/query', url.endsWith('/') ? url : `${url}/`);
      const filled = query
        .replaceAll('{service}', service)
        .replaceAll('{version}', String(canary.version))
        .replaceAll('{stable}', String(stable.version));
      target.searchParams.set('query', filled);
      try {
        const value = numberOf(await askJson(target, { signal }));
        const bounds = [min === undefined ? '' : `at least ${min}`, max === undefined ? '' : `at most ${max}`];
        const wanted = bounds.filter((text) => text !== '').join(' and ');
        const good = (min === undefined || value >= min) && (max === undefined || value <= max);
        return { verdict: good ? 'pass' : 'fail', message: `is ${value}; ${wanted} is wanted` };
      } catch (error) {
        return { verdict: 'inconclusive', message: messageOf(error) };
      }
    },
};
