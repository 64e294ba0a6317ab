/** The document shows for each endpoint how it is asked and what it answers, and the examples are right. */
import { describe, expect, it } from 'vitest';
import { ENDPOINTS } from './app.ts';
import { Instance } from '../model/instance.ts';
import { RouteDocument } from '../model/route.ts';
import { ServiceDocument } from '../model/service.ts';
import { EXAMPLES, INSTANCE, ROUTE, SERVICE } from './examples.ts';
import { openApi } from './openapi.ts';

const nameOf = ({ method, path }: { method: string; path: string }): string => `${method} ${path}`;

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

  it.each([
    ['service', ServiceDocument, SERVICE],
    ['instance', Instance, INSTANCE],
    ['route', RouteDocument, ROUTE],
  ])('of a %s are what the registry takes', (_, schema, example) => {
    expect(schema.safeParse(example).error?.issues ?? []).toEqual([]);
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
