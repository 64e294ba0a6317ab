import { z } from 'zod';

/** What became of the wish to end a session. */
export const SessionEnd = z
  .strictObject({
    id: z.string(),
    instance: z.string().nullable(),
    outcome: z
      .enum(['asked', 'cut', 'would', 'cannot'])
      .describe(
        'asked: its agent was asked and said yes; cut: its connection was destroyed; would: of a dry run; cannot: see message.',
      ),
    message: z.string(),
  })
  .meta({ id: 'SessionEnd' });
export type SessionEnd = Readonly<z.infer<typeof SessionEnd>>;
