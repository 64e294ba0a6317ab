/** The OpenAPI document, from the same table as the routes. */
import { z } from 'zod';
import { Problem } from './answers/problem.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { EXAMPLES } from './examples.ts';
import { createSchemas, type Schemas } from './json-schemas.ts';

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
  const schema = z.toJSONSchema(query, { io: 'input' }) as {
    properties?: Record<string, { description?: string }>;
    required?: string[];
  };
  return Object.entries(schema.properties ?? {}).map(([name, { description, ...rest }]) => ({
    name,
    in: 'query',
    required: schema.required?.includes(name) ?? false,
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

/** Those that hand what a call expects to the registry: writes of one resource. */
function isConditional({ method, path }: Endpoint): boolean {
  return /^\/v1\/(services|routes)\/\{name\}$/.test(path) && method !== 'get';
}

/** What such writes understand (RFC 9110 section 13.1). */
const CONDITIONS = [
  {
    name: 'If-Match',
    description:
      'The ETag that was read: the write is refused (412) if the resource has changed; *: if it is not there.',
  },
  { name: 'If-None-Match', description: '*: the write is refused (412) if there is such a resource.' },
].map((one) => ({ ...one, in: 'header', required: false, schema: { type: 'string' } }));

/** By content type. */
function contentOf(answer: Answer, example: unknown, schemas: Schemas): object {
  if ('type' in answer) return { [answer.type]: {} };
  return {
    'application/json': { schema: schemas.answer(answer.schema), ...(example === undefined ? {} : { example }) },
    ...(answer.stream === true ? { 'text/event-stream': {} } : {}),
  };
}

function operation(endpoint: Endpoint, schemas: Schemas): object {
  const tag = /^\/v1\/(\w+)/.exec(endpoint.path)?.[1] ?? 'system';
  const { body, answer } = endpoint;
  const example = answer.example ?? EXAMPLES[`${endpoint.method} ${endpoint.path}`];
  const response = { description: answer.about, content: contentOf(answer, example, schemas) };
  return {
    operationId: `${endpoint.method} ${endpoint.path}`.replace(/\W+/g, '_').replace(/_$/, ''),
    tags: [tag],
    summary: endpoint.summary,
    parameters: [
      ...pathParameters(endpoint.path),
      ...queryParameters(endpoint.query),
      ...(isConditional(endpoint) ? CONDITIONS : []),
    ],
    ...(endpoint.open === true ? { security: [] } : {}),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: false,
            content: {
              'application/json': { schema: schemas.body(body.told ?? body.schema), example: body.example },
              ...(body.yaml === true ? { 'application/yaml': { schema: { type: 'string' } } } : {}),
            },
          },
        }),
    responses: {
      [String(answer.status)]: response,
      ...('also' in answer ? { [String(answer.also)]: response } : {}),
      default: {
        description: 'A problem (RFC 9457): code, detail, issues with the path of each wrong field, remedy.',
        content: { 'application/problem+json': { schema: schemas.answer(Problem) } },
      },
    },
  };
}

export function openApi(endpoints: readonly Endpoint[], version: string): object {
  const schemas = createSchemas();
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints)
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method]: operation(endpoint, schemas) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Switchboard',
      version,
      description: 'Runs, routes to and watches over fleets of WebSocket agent services.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } }, schemas: schemas.named },
    security: [{ token: [] }],
    paths,
  };
}
