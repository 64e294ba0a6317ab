/**
 * JSON schemas of the OpenAPI document, from zod's. What has an id stands once, under `components/schemas`, so that generators make a named type of it. The
 * same id may be both in bodies and in answers, where what has a default is always there: of bodies it ends in `Input`.
 */
import { z } from 'zod';

export interface Schemas {
  /** All that have an id, of those that were asked for so far. */
  readonly named: Readonly<Record<string, object>>;
  answer(schema: z.ZodType): object;
  body(schema: z.ZodType): object;
}

type Json = z.core.JSONSchema.JSONSchema;

/** What zod adds and what would only be in the way of people and generators. */
function plain(io: 'input' | 'output', json: Json): void {
  // Of lists: nobody could write them anyway.
  delete json.readOnly;
  // The format says it.
  if (json.format === 'date-time') delete json.pattern;
  if (json.format === 'starts_with') delete json.format;
  if (json.minimum === Number.MIN_SAFE_INTEGER) delete json.minimum;
  if (json.maximum === Number.MAX_SAFE_INTEGER) delete json.maximum;
  // A newer control plane may tell more.
  if (io === 'output' && json.additionalProperties === false) delete json.additionalProperties;
}

export function createSchemas(): Schemas {
  const named: Record<string, object> = {};

  function converted(schema: z.ZodType, io: 'input' | 'output'): object {
    const suffix = io === 'input' ? 'Input' : '';
    const json = z.toJSONSchema(schema, {
      io,
      override({ jsonSchema }) {
        plain(io, jsonSchema);
      },
    });
    const moved = JSON.parse(
      JSON.stringify(json).replaceAll(/"#\/\$defs\/(\w+)"/g, `"#/components/schemas/$1${suffix}"`),
    ) as Json;
    for (const [id, one] of Object.entries(moved.$defs ?? {})) named[id + suffix] = { title: id + suffix, ...one };
    delete moved.$defs;
    delete moved.$schema;
    return moved;
  }

  /** Most writes answer alike. */
  const answers = new Map<z.ZodType, object>();
  return {
    named,
    answer(schema) {
      const json = answers.get(schema) ?? converted(schema, 'output');
      answers.set(schema, json);
      return json;
    },
    body: (schema) => converted(schema, 'input'),
  };
}
