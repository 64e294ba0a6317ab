/** A Version is what an instance of a service runs, numbered from 1 within its service. What runs never changes. */
import { z } from 'zod';
import { Name, Timestamp } from './meta.ts';
import { Probe } from './probe.ts';
import { Launch } from './service.ts';

export const Version = z
  .strictObject({
    kind: z.literal('Version'),
    service: Name,
    number: z.int().min(1),
    runtime: z.string(),
    launch: Launch.optional(),
    /** What the service had last while this version was the wanted one. */
    probe: Probe,
    note: z.string(),
    author: z.string(),
    createdAt: Timestamp,
    pinned: z.boolean().optional().describe('Kept whatever the length of the history.'),
  })
  .meta({ id: 'Version' });
export type Version = z.infer<typeof Version>;
