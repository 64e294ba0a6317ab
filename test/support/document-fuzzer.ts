/** Requests made from an OpenAPI document by chance: mostly as it says, some with one thing wrong. The same seed makes the same requests. */

import type { Random } from './random.ts';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly minItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly pattern?: string;
  readonly format?: string;
}

export interface Operation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: Schema;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

export interface FuzzedRequest {
  readonly url: string;
  readonly body: string | undefined;
  readonly type: string | undefined;
}

/** Texts that programs stumble over. */
const ODD = [
  '',
  ' ',
  '0',
  '-1',
  '../..',
  '%2e%2e',
  'ä',
  '北京',
  '\u0000',
  '\u202e',
  'a'.repeat(300),
  '{}',
  'null',
  '💥',
  '\'"',
  '1e999',
];
/** Tried against a pattern until one fits. */
const TEXTS = [
  'a',
  'weather',
  '5s',
  '10ms',
  '1h',
  '64MiB',
  '50%',
  '/',
  '/x',
  '/a/b',
  'http://127.0.0.1:9/',
  'KEY',
  'key=value',
  '1',
  'x.y',
  '2026-01-31T12:00:00Z',
  '127.0.0.1',
  '127.0.0.0/8',
  '* * * * *',
  `1:${'0'.repeat(64)}`,
];
const WRONG: readonly unknown[] = [null, true, -1, 1.5, 1e300, '', 'x'.repeat(5_000), [], {}, [[]], { '': 1 }];

export function documentFuzzer(
  schemas: Readonly<Record<string, Schema>>,
  random: Random,
  names: readonly string[],
): { request(path: string, operation: Operation): FuzzedRequest } {
  const below = (limit: number): number => random.below(limit);
  const chance = (of: number): boolean => random.chance(of);
  const pick = <T>(from: readonly T[]): T => random.pick(from);
  const resolved = (schema: Schema): Schema =>
    schema.$ref === undefined ? schema : resolved(schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});

  function text({ pattern, minLength = 0, maxLength = Infinity, format }: Schema): string {
    const expression = pattern === undefined ? undefined : new RegExp(pattern, 'u');
    const candidates = format === 'date-time' ? ['2026-01-31T12:00:00Z'] : [...names, ...TEXTS];
    const fit = candidates.filter(
      (one) => one.length >= minLength && one.length <= maxLength && expression?.test(one) !== false,
    );
    return fit.length === 0 ? 'a' : pick(fit);
  }

  function number({ minimum, exclusiveMinimum, maximum, type }: Schema): number {
    const low = minimum ?? (exclusiveMinimum === undefined ? 0 : exclusiveMinimum + 1);
    const value = Math.min(maximum ?? Infinity, low + below(5));
    return type === 'integer' ? Math.trunc(value) : value;
  }

  /** A value that the schema takes, as far as this goes. */
  function value(given: Schema, depth = 0): unknown {
    const schema = resolved(given);
    const options = schema.anyOf ?? schema.oneOf;
    if (options !== undefined) return value(pick(options), depth);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum !== undefined) return pick(schema.enum);
    if (schema.allOf !== undefined)
      return Object.assign({}, ...schema.allOf.map((one) => value(one, depth) as object)) as object;
    const type =
      typeof schema.type === 'string' ? schema.type : schema.type === undefined ? undefined : pick(schema.type);
    switch (type) {
      case 'string':
        return text(schema);
      case 'number':
      case 'integer':
        return number(schema);
      case 'boolean':
        return chance(0.5);
      case 'null':
        return null;
      case 'array': {
        if (schema.prefixItems !== undefined) return schema.prefixItems.map((one) => value(one, depth + 1));
        const count = Math.max(schema.minItems ?? 0, depth > 6 ? 0 : below(3));
        return Array.from({ length: count }, () => value(schema.items ?? {}, depth + 1));
      }
      case 'object':
        return object(schema, depth);
      case undefined:
      default:
        return pick(['x', 1, true, null]);
    }
  }

  function object(
    { properties = {}, required = [], additionalProperties, propertyNames }: Schema,
    depth: number,
  ): object {
    const made: Record<string, unknown> = {};
    for (const [name, one] of Object.entries(properties))
      if (required.includes(name) || (depth < 6 && chance(0.3))) made[name] = value(one, depth + 1);
    if (typeof additionalProperties === 'object' && chance(0.5))
      made[propertyNames === undefined ? 'a' : text(resolved(propertyNames))] = value(additionalProperties, depth + 1);
    return made;
  }

  /** One thing in it is another. */
  function spoiled(sound: unknown): unknown {
    if (typeof sound !== 'object' || sound === null || chance(0.2)) return pick(WRONG);
    const keys = Object.keys(sound);
    const key = keys.length === 0 || chance(0.15) ? pick(['unknown', '__proto__', 'constructor', '0']) : pick(keys);
    if (Array.isArray(sound)) return [...(sound as unknown[]).slice(1), spoiled((sound as unknown[])[0])];
    const copy = Object.assign(Object.create(null) as Record<string, unknown>, sound);
    copy[key] = chance(0.15) ? undefined : spoiled(copy[key]);
    return copy;
  }

  function query(operation: Operation): string {
    const search = new URLSearchParams();
    for (const { name, in: place, required, schema } of operation.parameters ?? []) {
      if (place !== 'query' || (required !== true && !chance(0.25))) continue;
      // Longer waits would be right, and long.
      const given = name === 'timeout' ? '1s' : name === 'watch' ? 'false' : chance(0.8) ? value(schema) : pick(ODD);
      search.append(name, String(given));
      if (chance(0.02)) search.append(name, 'twice');
    }
    if (chance(0.03)) search.append('unknown', '1');
    const made = search.toString();
    return made === '' ? '' : `?${made}`;
  }

  return {
    request(path, operation) {
      const place = path.replaceAll(/\{\w+\}/g, () =>
        encodeURIComponent(chance(0.75) ? pick(names) : pick(ODD) || 'x'),
      );
      const schema = operation.requestBody?.content['application/json']?.schema;
      const url = place + query(operation);
      if (schema === undefined) return { url, body: undefined, type: undefined };
      const sound = value(schema);
      const body = JSON.stringify(chance(0.5) ? sound : spoiled(sound));
      const broken = chance(0.05) ? body.slice(0, below(body.length)) : body;
      return {
        url,
        body: broken,
        type: broken === body ? 'application/json' : pick(['application/json', 'text/plain', 'application/yaml']),
      };
    },
  };
}
