import { expect, it } from 'vitest';
import { jsonPath } from './json-path.ts';

const value = {
  items: [
    { name: 'weather', labels: { 'a.b': 'x' }, status: { ready: 2 } },
    { name: 'finance', labels: {}, status: { ready: 1 } },
  ],
};

it.each([
  ['{.items[*].name}', 'weather finance'],
  ['.items[*].name', 'weather finance'],
  ['{$.items[0].name}', 'weather'],
  ['{.items[-1].name}', 'finance'],
  ["{.items[0].labels['a.b']}", 'x'],
  ['{.items[0].labels.a\\.b}', 'x'],
  ['{.items[0].status}', '{"ready":2}'],
  ['{.items[*].nothing}', ''],
  ['{range .items[*]}{.name}{"\\t"}{.status.ready}{"\\n"}{end}', 'weather\t2\nfinance\t1\n'],
  ['ready: {.items[1].status.ready}.', 'ready: 1.'],
  ['{.items[0].constructor}', ''],
])('%s', (template, shown) => {
  expect(jsonPath(template)(value)).toBe(shown);
});

it.each(['{.items[?(@.name=="x")]}', '{..name}', '{.items[0:1]}', '{.items', '{end}', '{range .items[*]}x', ''])(
  'says of %s that it can not',
  (template) => {
    expect(() => jsonPath(template)).toThrow('--output jsonpath: ');
  },
);
