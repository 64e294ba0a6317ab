/** What a write asks for and what it answers: the same shape for API, CLI and console. */
import { z } from 'zod';
import { Timestamp } from './meta.ts';

export interface WriteOptions {
  actor: string;
  requestId?: string;
  /** Compute everything, change nothing. */
  dryRun?: boolean;
  /** Compare-and-set: the revision of the one resource that is written. 0: it must not exist; `any`: it must. */
  expectRevision?: number | 'any';
  note?: string;
  /** Of an apply. */
  set?: ApplySet;
}

/** Resources that are applied from one source: they remember its name, and what is no longer in it can be deleted. */
export interface ApplySet {
  name: string;
  /** Delete what is in the set and not among the documents. */
  prune: boolean;
  /** Also take resources that are in another set; without it they are a conflict. */
  takeOver: boolean;
}

const WriteAction = z.enum(['created', 'updated', 'unchanged', 'deleted']);
export type WriteAction = z.infer<typeof WriteAction>;

/** What differs, by dotted path. */
export const Difference = z
  .strictObject({
    path: z.string().describe('Dotted.'),
    before: z.unknown().optional().describe('Absent: it was not there.'),
    after: z.unknown().optional().describe('Absent: it is no longer there.'),
  })
  .meta({ id: 'Difference' });
export type Difference = Readonly<z.infer<typeof Difference>>;

const WriteChange = z
  .strictObject({
    kind: z.enum(['Service', 'Route', 'Instance', 'Rollout', 'Version']),
    name: z.string(),
    action: WriteAction,
    diff: z.array(Difference).readonly(),
  })
  .meta({ id: 'WriteChange' });
export type WriteChange = z.infer<typeof WriteChange>;

/** What has to come before it is known when sessions end; they may never do. */
export const WAITS_FOR = ['promotion', 'autoscaler', 'check'] as const;
export type WaitsFor = (typeof WAITS_FOR)[number];

/** All zero for most. */
const Impact = z
  .strictObject({
    endsNow: z.int().min(0).describe('Sessions that end at once.'),
    drains: z
      .int()
      .min(0)
      .describe(
        'Sessions on instances that go by what the write sets going, whoever carries it on: they end only if still open at the deadline.',
      ),
    instances: z
      .array(
        z.strictObject({
          id: z.string(),
          service: z.string(),
          sessions: z.int().min(0),
          reason: z.string(),
          deadline: Timestamp.optional().describe('What is still open is ended then, or once replacements are ready.'),
          waitsFor: z
            .enum(WAITS_FOR)
            .exactOptional()
            .describe(
              'Instead of a deadline. promotion: somebody promotes or resumes the rollout; autoscaler: it takes instances away; check: an instance fails what it is asked from now on.',
            ),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'Impact', description: 'What the write does to open sessions.' });
export type Impact = z.infer<typeof Impact>;

export const WriteResult = z.strictObject({
  revision: z.int().min(0).describe('That holds the change; the present one where nothing changed or for a dry run.'),
  dryRun: z.boolean(),
  changes: z.array(WriteChange).readonly(),
  impact: Impact,
  warnings: z.array(z.string()).readonly(),
});
export type WriteResult = z.infer<typeof WriteResult>;
