/** Where metrics are sent by OTLP, as the settings say. */
import { z } from 'zod';
import { PositiveDuration, durationMs } from './units.ts';

const SHORTEST_MS = 1_000;

/** Headers mostly hold keys, under any name: none is written down. */
const BY_REFERENCE = 'is given by reference, since it may be a secret: { fromEnv: NAME } or { fromFile: path }';
const Reference = z
  .strictObject(
    { fromEnv: z.string().min(1).optional(), fromFile: z.string().min(1).optional() },
    { error: BY_REFERENCE },
  )
  .refine(({ fromEnv, fromFile }) => (fromEnv === undefined) !== (fromFile === undefined), BY_REFERENCE);

export const OtlpSettings = z.strictObject({
  /** The collector's address for OTLP over HTTP; `/v1/metrics` is added unless it stands there. */
  endpoint: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).refine((text) => {
    const url = URL.parse(text);
    return url === null || (url.username === '' && url.password === '');
  }, 'must have no user or password: put them into a header, by reference'),
  headers: z
    .record(z.string(), Reference)
    .default({})
    .superRefine((headers, context) => {
      for (const name of Object.keys(headers))
        if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name))
          context.addIssue({ code: 'custom', path: [name], message: 'is no name of a header' });
    }),
  interval: PositiveDuration.refine((text) => durationMs(text) >= SHORTEST_MS, 'must be at least 1s').default('60s'),
});
export type OtlpSettings = z.infer<typeof OtlpSettings>;
