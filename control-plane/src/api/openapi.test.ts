/** The document shows for each endpoint how it is asked and what it answers, and the examples are right. */
import { describe, expect, it } from 'vitest';
import { ENDPOINTS } from './app.ts';
import { problemOf } from './errors.ts';
import { createLog } from '../log.ts';
import { SwitchboardError } from '../model/errors.ts';
import { EXAMPLES } from './examples.ts';
import { openApi } from './openapi.ts';
import { faultsOf } from './testing.ts';

const nameOf = ({ method, path }: { method: string; path: string }): string => `${method} ${path}`;

describe('the document', () => {
  const document = openApi(ENDPOINTS, '1') as {
    paths: Record<string, Record<string, { parameters: { name: string; in: string; required: boolean }[] }>>;
    components: { schemas: Record<string, { properties: object; required: string[] }> };
  };
  const parameters = (path: string, method: string) => document.paths[path]?.[method]?.parameters ?? [];

  it('says which parameters must be there', () => {
    for (const { path, method, query } of ENDPOINTS)
      for (const one of parameters(path, method).filter((each) => each.in === 'query'))
        expect(one.required, `${method} ${path} ${one.name}`).toBe(
          query?.safeParse({}).error?.issues.some((issue) => issue.path[0] === one.name) ?? false,
        );
    expect(parameters('/v1/explain', 'get').find(({ name }) => name === 'path')?.required).toBe(true);
  });

  it('has the conditions of writes, and the form of a problem', () => {
    const conditions = (path: string, method: string): string[] =>
      parameters(path, method).flatMap((one) => (one.in === 'header' ? [one.name] : []));
    expect(conditions('/v1/services/{name}', 'put')).toEqual(['If-Match', 'If-None-Match']);
    expect(conditions('/v1/services/{name}', 'get')).toEqual([]);
    const log = createLog('silent');
    const problem = problemOf(
      new SwitchboardError('invalid', 'x', { issues: [{ path: 'a', message: 'b' }], remedy: 'c' }),
      'id',
      log,
    );
    const { properties, required } = document.components.schemas['Problem'] ?? { properties: {}, required: [] };
    expect(Object.keys(properties).sort()).toEqual(Object.keys(problem).sort());
    const plain = problemOf(new Error('x'), 'id', log);
    expect(required.toSorted()).toEqual(Object.keys(plain).sort());
  });
});

describe('schemas', () => {
  const document = openApi(ENDPOINTS, '1') as {
    paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, object> }> }>>;
    components: { schemas: Record<string, object> };
  };

  it('are there for every answer, or another content type', () => {
    for (const { path, method, answer } of ENDPOINTS) {
      const content = document.paths[path]?.[method]?.responses[String(answer.status)]?.content ?? {};
      const expected =
        'type' in answer
          ? [answer.type]
          : ['application/json', ...(answer.stream === true ? ['text/event-stream'] : [])];
      expect(Object.keys(content), `${method} ${path}`).toEqual(expected);
      if ('schema' in answer) expect(content['application/json'], `${method} ${path}`).toHaveProperty('schema');
    }
  });

  it('of one name stand once, and each that is named is there', () => {
    const text = JSON.stringify(document);
    const named = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map((match) => match[1]);
    expect(new Set(named)).toEqual(new Set(Object.keys(document.components.schemas)));
    expect(text).not.toContain('$defs');
    expect(document.components.schemas).toHaveProperty('ServiceView');
  });

  it('of answers have what has a default, and may come to have more; bodies need it not, and take no more', () => {
    const { Autoscale, AutoscaleInput } = document.components.schemas as Record<
      string,
      { required?: string[]; additionalProperties?: boolean }
    >;
    expect(Autoscale?.required).toContain('min');
    expect(Autoscale).not.toHaveProperty('additionalProperties');
    expect(AutoscaleInput?.required ?? []).not.toContain('min');
    expect(AutoscaleInput?.additionalProperties).toBe(false);
  });
});

describe('examples', () => {
  it('are of endpoints that exist', () => {
    const known = new Set(ENDPOINTS.map(nameOf));
    expect(Object.keys(EXAMPLES).filter((name) => !known.has(name))).toEqual([]);
  });

  it.each(ENDPOINTS.filter(({ body }) => body !== undefined).map((endpoint) => [nameOf(endpoint), endpoint] as const))(
    'of a request are taken: %s',
    (_, { body }) => {
      const example = body?.yaml === true ? [body.example].flat() : body?.example;
      expect(body?.schema.safeParse(example).error?.issues ?? []).toEqual([]);
    },
  );

  it('of an answer are what its schema says', () => {
    const shown = ENDPOINTS.map((endpoint) => ({
      name: nameOf(endpoint),
      example: endpoint.answer.example ?? EXAMPLES[nameOf(endpoint)],
      answer: endpoint.answer,
    })).filter(({ example }) => example !== undefined);
    expect(shown.length).toBeGreaterThan(20);
    expect(
      shown.map(({ name, example, answer }) => [
        name,
        'schema' in answer ? faultsOf(answer.schema, example) : ['is not JSON'],
      ]),
    ).toEqual(shown.map(({ name }) => [name, []]));
  });

  it('stand in the document', () => {
    const { paths } = openApi(ENDPOINTS, '1') as {
      paths: Record<
        string,
        Record<string, { responses: Record<string, { content?: Record<string, { example?: unknown }> }> }>
      >;
    };
    for (const [name, example] of Object.entries(EXAMPLES)) {
      const [method = '', path = ''] = name.split(' ');
      const responses = Object.values(paths[path]?.[method]?.responses ?? {});
      expect(
        responses.map(({ content }) => content?.['application/json']?.example),
        name,
      ).toContainEqual(example);
    }
  });
});
