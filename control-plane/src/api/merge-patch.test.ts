import { expect, it } from 'vitest';
import { mergePatch } from './merge-patch.ts';

/** The table of RFC 7396, appendix A: original, patch, result. */
it.each([
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
])('%s patched with %s is %s', (original, patch, result) => {
  const target: unknown = JSON.parse(original);
  expect(JSON.stringify(mergePatch(target, JSON.parse(patch)))).toBe(result);
  expect(JSON.stringify(target)).toBe(original);
});

it('takes __proto__ for a field like any other', () => {
  const merged = mergePatch({}, JSON.parse('{"__proto__":{"spec":1}}')) as Record<string, unknown>;
  expect(Object.keys(merged)).toEqual(['__proto__']);
  expect(merged['spec']).toBeUndefined();
});
