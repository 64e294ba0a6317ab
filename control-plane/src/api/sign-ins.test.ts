import { expect, it } from 'vitest';
import { SIGN_IN_MS, createSignIns } from './sign-ins.ts';

it('a code is good once, for minutes, and for nothing but its token', () => {
  let time = 1_000;
  const signIns = createSignIns(() => time);
  const { code, expiresAt } = signIns.make('a');
  expect(expiresAt).toBe(new Date(1_000 + SIGN_IN_MS).toISOString());
  const other = signIns.make('b');
  expect(signIns.take(code)).toBe('a');
  expect(() => signIns.take(code)).toThrow('it was used already, or is too old');
  expect(() => signIns.take('guess')).toThrow('is not known');
  time += SIGN_IN_MS;
  expect(() => signIns.take(other.code)).toThrow('is not known');
});

it('holds no more than a hundred, the newest', () => {
  const signIns = createSignIns(() => 0);
  const codes = Array.from({ length: 101 }, () => signIns.make('a').code);
  expect(() => signIns.take(codes[0] ?? '')).toThrow('is not known');
  expect(signIns.take(codes[100] ?? '')).toBe('a');
});
