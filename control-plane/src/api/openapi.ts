/** The OpenAPI document, from the same table as the routes. */
import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { EXAMPLES } from './examples.ts';

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => ({
    name: match[1],
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(query: z.ZodObject | undefined): object[] {
  if (query === undefined) return [];
  const schema = z.toJSONSchema(query, { io: 'input' }) as { properties?: Record<string, { description?: string }> };
  return Object.entries(schema.properties ?? {}).map(([name, { description, ...rest }]) => ({
    name,
    in: 'query',
    required: false,
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function operation(endpoint: Endpoint): object {
  const tag = /^\/v1\/(\w+)/.exec(endpoint.path)?.[1] ?? 'system';
  const { body, answer } = endpoint;
  const example = answer.example ?? EXAMPLES[`${endpoint.method} ${endpoint.path}`];
  return {
    operationId: `${endpoint.method} ${endpoint.path}`.replace(/\W+/g, '_').replace(/_$/, ''),
    tags: [tag],
    summary: endpoint.summary,
    parameters: [...pathParameters(endpoint.path), ...queryParameters(endpoint.query)],
    ...(endpoint.open === true ? { security: [] } : {}),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: false,
            content: {
              'application/json': { schema: z.toJSONSchema(body.schema, { io: 'input' }), example: body.example },
              ...(body.yaml === true ? { 'application/yaml': { schema: { type: 'string' } } } : {}),
            },
          },
        }),
    responses: {
      [String(answer.status)]: {
        description: answer.about,
        ...(example === undefined ? {} : { content: { 'application/json': { example } } }),
      },
      default: {
        description: 'A problem (RFC 9457): code, detail, issues with the path of each wrong field, remedy.',
        content: { 'application/problem+json': {} },
      },
    },
  };
}

export function openApi(endpoints: readonly Endpoint[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints)
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method]: operation(endpoint) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Switchboard',
      version,
      description: 'Runs, routes to and watches over fleets of WebSocket agent services.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    security: [{ token: [] }],
    paths,
  };
}
