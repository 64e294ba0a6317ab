/** Every field of a schema, so that a test can ask for a sample of each: a new one without a sample is noticed. */
import { z } from 'zod';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/**
 * Dotted paths of all leaves: `[]` stands for an element of a list, `<word>` for one of several shapes, by the word that tells them apart. What is a
 * record of names, or of one of several shapes without such a word, is one field.
 */
export function fieldsOf(schema: z.ZodType): string[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json;
  const definitions = (root['$defs'] ?? {}) as Readonly<Record<string, Json>>;

  function at(node: Json, path: string): string[] {
    const { $ref: reference, properties, items, oneOf, anyOf } = node;
    if (typeof reference === 'string') return at(definitions[reference.split('/').at(-1) ?? ''] ?? {}, path);
    if (isObject(properties))
      return Object.entries(properties).flatMap(([name, child]) =>
        at(child as Json, path === '' ? name : `${path}.${name}`),
      );
    if (isObject(items)) {
      const inner = at(items, `${path}[]`);
      return inner.length === 1 && inner[0] === `${path}[]` ? [path] : inner;
    }
    const shapes = ([oneOf, anyOf].find(Array.isArray) ?? []) as readonly Json[];
    const words = shapes.map(wordOf);
    return shapes.length > 0 && words.every((word) => word !== undefined)
      ? shapes.flatMap((shape, index) => at(shape, `${path}<${words[index] ?? ''}>`))
      : [path];
  }
  return at(root, '');
}

/** The one constant of a shape. */
function wordOf(shape: Json): string | undefined {
  const properties = isObject(shape['properties']) ? Object.values(shape['properties']) : [];
  const constants = properties.flatMap((one) =>
    isObject(one) && typeof one['const'] === 'string' ? [one['const']] : [],
  );
  return constants.length === 1 ? constants[0] : undefined;
}
