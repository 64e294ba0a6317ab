import { expect, it } from 'vitest';
import { parseDocuments } from '../model/document-text.ts';
import { SwitchboardError } from '../model/errors.ts';
import { parseJson } from './body.ts';
import { firstFault, placeAt } from './json-place.ts';

function refusal(read: () => unknown): { code: string; message: string; path: string | undefined } {
  try {
    read();
  } catch (error) {
    if (error instanceof SwitchboardError)
      return { code: error.code, message: error.message, path: error.issues[0]?.path };
    throw error;
  }
  throw new Error('it was taken');
}

it.each([
  ['{"spec":', 'line 1, column 9', 'Unexpected end of JSON input'],
  ['{"spec": tru}', 'line 1, column 10', 'Unexpected token'],
  ['{\n "spec": {,}}', 'line 2, column 11', 'Expected property name'],
  ['{"a": 1,}', 'line 1, column 9', 'Expected double-quoted property name'],
  ['[1 2]', 'line 1, column 4', 'Expected'],
  ['{"a" 1}', 'line 1, column 6', "Expected ':'"],
  ['{} {}', 'line 1, column 4', 'Unexpected non-whitespace character'],
  ['{"a": "line\nbreak"}', 'line 1, column 7', 'Bad control character'],
  ['{"a": 01}', 'line 1, column 8', 'Unexpected number'],
])('broken JSON is refused with its place: %j', (text, place, reason) => {
  const { code, message, path } = refusal(() => parseJson(text));
  expect({ code, path }).toEqual({ code: 'invalid', path: place });
  expect(message).toContain(`${place}: is not valid JSON: ${reason}`);
});

it.each([
  ['{"a": 1, "a": 2}', 'line 1, column 10', 'a'],
  ['{"x": [{"b": 1},\n{"b": {}, "c": 1, "\\u0062": 2}]}', 'line 2, column 19', 'b'],
])('a member that stands twice is refused: %j', (text, place, member) => {
  expect(refusal(() => parseJson(text))).toEqual({
    code: 'invalid',
    path: place,
    message: `${place}: the member "${member}" stands twice in one object`,
  });
  expect(parseJson('{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}')).toEqual({ a: { a: 1 }, b: [{ a: 1 }, { a: 2 }] });
});

it('a member that no schema sees is refused', () => {
  const text = '{"spec": {"__proto__": {"replicas": 3}}}';
  for (const read of [parseJson, parseDocuments])
    expect(refusal(() => read(text)).message).toBe('the text has a member __proto__, which names no field');
});

it('merges what a merge key names: own keys win, and the first of several', () => {
  const text = 'a: &a {x: 1, y: 2}\nb: &b {x: 3, z: 4}\none:\n  <<: *a\n  x: 9\nboth:\n  <<: [*a, *b]\n';
  expect(parseDocuments(text)).toEqual([
    { a: { x: 1, y: 2 }, b: { x: 3, z: 4 }, one: { x: 9, y: 2 }, both: { x: 1, y: 2, z: 4 } },
  ]);
  expect(refusal(() => parseDocuments('c:\n  <<: 3\n')).message).toContain('Merge sources must be maps');
});

it('finds nothing wrong in what V8 takes', () => {
  const texts = [
    '0',
    '-1.5e+3',
    '"\\u00e9\\n"',
    '[]',
    '{}',
    '[[],{"a":[null,true,false]}]',
    ' {"a" : "\u007f" , "b" : [ 1 ] } ',
  ];
  for (const text of texts) {
    JSON.parse(text);
    expect([text, firstFault(text)]).toEqual([text, undefined]);
  }
  expect(placeAt('a\nb', 2)).toBe('line 2, column 1');
});

it.each([
  ['kind: Service\n  name: x', 'line 1, column 7'],
  ['a: 1\na: 2', 'line 2, column 1'],
  ['---\nkind: Service\n---\n"unended', 'line 4'],
])('broken YAML is refused with its place: %j', (text, place) => {
  const { code, path } = refusal(() => parseDocuments(text));
  expect(code).toBe('invalid');
  expect(path).toContain(place);
});

it.each([
  ['an alias without its anchor', 'a: *nobody', 'Unresolved alias'],
  [
    'aliases that grow without end',
    `a: &a [${'x,'.repeat(20)}]\nb: &b [${'*a,'.repeat(20)}]\nc: [${'*b,'.repeat(20)}]`,
    'Excessive alias count',
  ],
  ['brackets without end', '['.repeat(900_000), 'nested deeper than 100 levels'],
  ['depth that the parser can not take', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`, 'nested deeper'],
  ['depth that nobody needs', `${'- '.repeat(150)}x`, 'nested deeper'],
])('%s is a fault of the request', (_, text, reason) => {
  const { code, message } = refusal(() => parseDocuments(text));
  expect(code).toBe('invalid');
  expect(message).toContain(reason);
});

it('refuses JSON that is nested too deep, and takes what is deep enough for anybody', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  expect(parseJson(nested(100))).toBeDefined();
  expect(refusal(() => parseJson(nested(102))).message).toContain('nested deeper');
  expect(refusal(() => parseJson(nested(500_000))).message).toContain('nested deeper');
});

it('reads one document, several, a list, and a list of documents alike', () => {
  const [a, b] = [
    { kind: 'Service', name: 'a' },
    { kind: 'Route', name: 'b' },
  ];
  expect(parseDocuments('{kind: Service, name: a}')).toEqual([a]);
  expect(parseDocuments('# none\n---\nkind: Service\nname: a\n---\n---\nkind: Route\nname: b\n')).toEqual([a, b]);
  expect(parseDocuments(JSON.stringify([a, b]))).toEqual([a, b]);
  expect(parseDocuments(JSON.stringify({ documents: [a, b] }))).toEqual([a, b]);
  expect(parseDocuments('')).toEqual([]);
  const odd = { kind: 'Service', documents: [1] };
  expect(parseDocuments(JSON.stringify(odd))).toEqual([odd]);
});
