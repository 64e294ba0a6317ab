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

/** What a refinement checks is not in a JSON schema: its sentence is, so that nobody meets a rule that the document does not say. */
function rulesOf(schema: z.core.$ZodType): string[] {
  return (schema._zod.def.checks ?? []).flatMap(({ _zod: { def } }) => {
    const { error, path = [] } = def as z.core.$ZodCustomDef;
    const told = error?.({ code: 'custom', input: undefined, path: [] } as never);
    const text = typeof told === 'string' ? told : told?.message;
    return text === undefined ? [] : [[path.join('.'), text].filter((part) => part !== '').join(': ')];
  });
}

function sayRules(schema: z.core.$ZodType, json: Json): void {
  const fresh = rulesOf(schema).filter((rule) => json.description?.includes(rule) !== true);
  if (fresh.length === 0) return;
  const before = json.description === undefined ? [] : [json.description.replace(/[.;]?$/, '.')];
  json.description = [...before, `${fresh.join('; ')}.`].join(' ');
}

export function createSchemas(): Schemas {
  const named: Record<string, object> = {};

  function converted(schema: z.ZodType, io: 'input' | 'output'): object {
    const suffix = io === 'input' ? 'Input' : '';
    const json = z.toJSONSchema(schema, {
      io,
      override({ zodSchema, jsonSchema }) {
        plain(io, jsonSchema);
        if (io === 'input') sayRules(zodSchema, jsonSchema);
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
