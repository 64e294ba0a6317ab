/** Choice of fields: `fields=name,status.state`. Which there are is known from the schema of what is listed. */
import { z } from 'zod';
import { similar } from '../model/similar.ts';

const FIELDS = /^[\w-]+(\.[\w-]+)*(,[\w-]+(\.[\w-]+)*)*$/;

/** By name what a field may be; undefined: any name may stand there, as among labels. */
type Names = ReadonlyMap<string, readonly z.core.$ZodType[]> | undefined;
const NONE: Names = new Map();

function namesOf(schema: z.core.$ZodType): Names {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  )
    return namesOf(schema.unwrap());
  if (schema instanceof z.ZodObject)
    return new Map(Object.entries<z.core.$ZodType>(schema.shape).map(([name, one]) => [name, [one]]));
  if (schema instanceof z.ZodUnion) return namesOfAny(schema.options);
  return schema instanceof z.ZodRecord || schema instanceof z.ZodUnknown ? undefined : NONE;
}

function namesOfAny(schemas: readonly z.core.$ZodType[]): Names {
  const all = new Map<string, readonly z.core.$ZodType[]>();
  for (const names of schemas.map(namesOf)) {
    if (names === undefined) return undefined;
    for (const [name, found] of names) all.set(name, [...(all.get(name) ?? []), ...found]);
  }
  return all;
}

/** What is wrong with a dotted path; undefined: nothing. */
export function wrongField(item: z.ZodType, path: string): string | undefined {
  let schemas: readonly z.core.$ZodType[] = [item];
  let before = '';
  for (const name of path.split('.')) {
    const names = namesOfAny(schemas);
    if (names === undefined) return undefined;
    if (names.size === 0) return `${before.slice(0, -1)} has no fields that could be chosen`;
    const next = names.get(name);
    if (next === undefined) {
      const meant = similar(name, names.keys());
      const known = [...names.keys()].join(', ');
      return `there is no field ${before}${name}${meant === undefined ? `, only ${known}` : `. Did you mean ${before}${meant}?`}`;
    }
    schemas = next;
    before += `${name}.`;
  }
  return undefined;
}

export const fieldsOf = (item: z.ZodType) =>
  z
    .string()
    .max(1000)
    .regex(FIELDS, { error: 'must be names such as name,status.state', abort: true })
    .superRefine((text, context) => {
      for (const path of text.split(',')) {
        const message = wrongField(item, path);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      }
    })
    .optional()
    .describe(
      'Only these fields, with dots and commas: name,status.state. Each item then has no others, also none that the schema requires.',
    );

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A copy with only the fields that are named; what is not there is left out. */
export function pickFields(item: object, fields: string | undefined): object {
  if (fields === undefined) return item;
  const picked: Record<string, unknown> = {};
  for (const path of fields.split(',')) {
    let [from, to]: [unknown, Record<string, unknown>] = [item, picked];
    const names = path.split('.');
    for (const [index, name] of names.entries()) {
      if (!isObject(from) || !Object.hasOwn(from, name)) break;
      from = from[name];
      if (index === names.length - 1) to[name] = from;
      else if (isObject(from)) {
        const inner = isObject(to[name]) ? to[name] : {};
        to[name] = inner;
        to = inner;
      }
    }
  }
  return picked;
}
