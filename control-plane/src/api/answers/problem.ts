import { z } from 'zod';
import { ERROR_CODES } from '../../model/errors.ts';

/** RFC 9457. */
export const Problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(ERROR_CODES),
    issues: z
      .array(z.strictObject({ path: z.string(), message: z.string() }))
      .readonly()
      .exactOptional()
      .describe('Each wrong field.'),
    remedy: z.string().exactOptional().describe('What a person can do about it, one sentence.'),
    requestId: z.string(),
  })
  .meta({ id: 'Problem' });
export type Problem = Readonly<z.infer<typeof Problem>>;
