/**
 * Text that people read in terminals and pages: a control character would move the cursor or clear the screen, a mark that turns the direction
 * of writing would make a name look like another.
 */
import { z } from 'zod';

// eslint-disable-next-line no-control-regex -- they are what is looked for
const LINE = /^[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*$/;
// eslint-disable-next-line no-control-regex -- all of them but tab and line feed
const LINES = /^[^\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*$/;
const WHY = 'must have no control characters and no marks that change the direction of writing';

/** One line, of at most so many characters. */
export const plainLine = (longest: number): z.ZodString => z.string().max(longest).regex(LINE, WHY);

/** The same with line breaks and tabs. */
export const plainText = (longest: number): z.ZodString =>
  z.string().max(longest).regex(LINES, `${WHY}, but for line breaks and tabs`);

/** What is handed to a program: the system ends it at a NUL, so what stands behind one would be lost. */
// eslint-disable-next-line no-control-regex -- it is what is looked for
export const withoutNul = (text: z.ZodString): z.ZodString => text.regex(/^[^\x00]*$/, 'must have no NUL character');
