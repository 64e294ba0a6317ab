/** The form of every list. */
import { z } from 'zod';

/** All of a short list. */
export const itemsOf = <T extends z.ZodType>(item: T) => z.strictObject({ items: z.array(item).readonly() });
export type Items<T> = Readonly<z.infer<ReturnType<typeof itemsOf<z.ZodType<T>>>>>;

const next = z.string().exactOptional().describe('Where the next page begins: its `cursor`. Absent: this is the last.');

/** A part of a list that only grows. */
export const feedOf = <T extends z.ZodType>(item: T) => itemsOf(item).extend({ next });
export type Feed<T> = Readonly<z.infer<ReturnType<typeof feedOf<z.ZodType<T>>>>>;

export const pageOf = <T extends z.ZodType>(item: T) =>
  feedOf(item).extend({ total: z.int().min(0).describe('Of all that fit, not only of this page.') });
export type Page<T> = Readonly<z.infer<ReturnType<typeof pageOf<z.ZodType<T>>>>>;
