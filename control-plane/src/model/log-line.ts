import { z } from 'zod';

/** What an instance has written. */
export const LogLine = z.strictObject({
  at: z.string().nullable().describe('When it came. Null: not known.'),
  stream: z.enum(['stdout', 'stderr']),
  text: z
    .string()
    .describe(
      'As the agent wrote it, with its control sequences: who shows it on a terminal must take those out. Of a line that was written over (CR) its last state; of one beyond 64 KiB the start, with its length.',
    ),
  unfinished: z
    .literal(true)
    .optional()
    .describe('It has no end yet: the next line of this stream is the same line, further on.'),
});
export type LogLine = Readonly<z.infer<typeof LogLine>>;
