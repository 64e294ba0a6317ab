import { expect, it } from 'vitest';
import { plainLine, plainText, withoutNul } from './plain-text.ts';
import { z } from 'zod';

it.each(['\u001b[2J', 'a\rb', '\u0085', 'gpj.\u202egnp', '\u2066x', '\u0000'])('refuses %j', (text) => {
  expect(plainLine(100).safeParse(text).success).toBe(false);
  expect(plainText(100).safeParse(text).success).toBe(false);
});

it('takes words of all languages, and lines where there may be several', () => {
  expect(plainLine(100).safeParse('北京 – שלום – \u200bé 👍').success).toBe(true);
  expect(plainLine(100).safeParse('a\nb').success).toBe(false);
  expect(plainText(100).safeParse('a\n\tb').success).toBe(true);
});

it('hands no NUL to a program', () => {
  expect(withoutNul(z.string()).safeParse('a\u001b\n').success).toBe(true);
  expect(withoutNul(z.string()).safeParse('a\u0000b').error?.issues[0]?.message).toBe('must have no NUL character');
});
