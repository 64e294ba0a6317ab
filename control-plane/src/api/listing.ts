/** What lists and documents of all kinds share. */
import { z } from 'zod';
import { SwitchboardError } from '../model/errors.ts';
import type { ApiContext } from './context.ts';
import type { Call } from './endpoint.ts';
import type { Observed } from './views.ts';

export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).optional().describe('At most this many (1000).'),
  after: z.string().max(256).optional().describe('Go on after this item: the `next` of the page before.'),
});

/** Items must be sorted by their key, by code unit. */
export function page<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  query: Call['query'],
): { items: T[]; next?: string } {
  const { limit = 1000, after } = query as { limit?: number; after?: string };
  const rest = after === undefined ? items : items.filter((item) => keyOf(item) > after);
  const taken = rest.slice(0, limit);
  const last = taken.at(-1);
  return { items: taken, ...(last !== undefined && rest.length > limit ? { next: keyOf(last) } : {}) };
}

export function observedBy(api: ApiContext): Observed {
  return {
    counts: api.sessionCounts(),
    health: (instance) => api.health(instance),
    gatewayUrl: api.system().gateway.url,
  };
}

/** A document whose kind and name may be left out, since the path names them; what is given must agree. */
export function withIdentity(call: Call, kind: string): object {
  const document = call.body as { kind?: unknown; name?: unknown };
  const name = call.param('name');
  if (document.kind !== undefined && document.kind !== kind)
    throw new SwitchboardError('invalid', `kind must be ${kind}`, {
      issues: [{ path: 'kind', message: `must be ${kind} here` }],
    });
  if (document.name !== undefined && document.name !== name)
    throw new SwitchboardError('invalid', `name must be ${name}, as in the path`, {
      issues: [{ path: 'name', message: `must be ${name}, as in the path` }],
    });
  return { ...document, kind, name };
}
