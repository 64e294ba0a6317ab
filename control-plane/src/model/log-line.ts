import { z } from 'zod';

/** What an instance has written. */
export const LogLine = z.strictObject({
  at: z.string().nullable().describe('Null: not known.'),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
});
export type LogLine = Readonly<z.infer<typeof LogLine>>;
