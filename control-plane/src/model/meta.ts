/** What every stored resource has beside its spec. */
import { z } from 'zod';
import { plainLine } from './plain-text.ts';

/** A DNS label: it stands in URLs, Envoy names, folder names and metric labels. */
export const Name = z
  .string()
  .min(1)
  .max(48)
  .regex(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
    'must be lower-case letters, digits and hyphens, starting and ending with a letter or digit',
  );

export const Labels = z.record(plainLine(63).min(1), plainLine(255));

export const Timestamp = z.iso.datetime();

/** What the registry puts to a document. */
export const stored = {
  set: z.string().exactOptional().describe('The set that it was applied with, if any.'),
  createdAt: Timestamp,
  updatedAt: Timestamp,
};

/** A present fact about a resource, after the model of Kubernetes' conditions. */
export const Condition = z
  .strictObject({
    type: z.string(),
    status: z.enum(['true', 'false', 'unknown']),
    reason: z.string().describe('One CamelCase word for programs.'),
    message: z.string().describe('A sentence for people.'),
    since: Timestamp,
  })
  .meta({ id: 'Condition' });
export type Condition = z.infer<typeof Condition>;
