import { describe, expect, it } from 'vitest';
import { isError } from '../model/errors.ts';
import { selector } from './lists.ts';

describe('label selectors', () => {
  const labels = { team: 'sky', tier: '1', 'example.org/x': 'y=z' };
  it.each([
    ['', true],
    ['team=sky', true],
    ['team=sea', false],
    ['team!=sea', true],
    ['team', true],
    ['!team', false],
    ['!other', true],
    ['other!=x', true],
    ['team=sky,tier=1', true],
    ['team=sky, tier=2', false],
    ['example.org/x=y=z', true],
    ['tier=', false],
  ])('%s: %s', (text, expected) => {
    expect(selector(text)(labels)).toBe(expected);
  });

  it.each(['=x', '!team=sky', 'a b=c', ',', 'team=sky,,'])('refuse %s', (text) => {
    let error: unknown;
    try {
      selector(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(isError(error, 'invalid') && error.issues[0]?.path).toBe('query.labels');
  });
});
