/** Where would this request go, and why? */
import { isIP } from 'node:net';
import { z } from 'zod';
import { SwitchboardError } from '../../model/errors.ts';
import type { SessionRequest } from '../../model/request.ts';
import { Explanation } from '../../routing/explanation.ts';
import type { Endpoint } from '../endpoint.ts';

const ExplainQuery = z.strictObject({
  path: z
    .string()
    .startsWith('/', 'must start with /')
    .max(8192)
    .describe('As the client asks, with its query: /agents/weather?region=eu (percent-encoded).'),
  host: z.string().max(300).optional().describe('The Host header.'),
  header: z.string().max(65_536).optional().describe('`Name: value`; may stand several times.'),
  clientIp: z
    .string()
    .refine((text) => isIP(text) !== 0, 'must be an IP address')
    .optional()
    .describe('Where the client connects from; 127.0.0.1 if absent.'),
});

const invalid = (message: string): SwitchboardError =>
  new SwitchboardError('invalid', `query.header: ${message}`, { issues: [{ path: 'query.header', message }] });

function headersOf(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) throw invalid(`must be "Name: value", not ${JSON.stringify(line.slice(0, 100))}`);
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    // Names of ours are taken from what clients send.
    if (name.startsWith('x-switchboard-')) continue;
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ','}${value}`);
  }
  return headers;
}

export function sessionRequest(query: z.infer<typeof ExplainQuery>, lines: readonly string[]): SessionRequest {
  const headers = headersOf(lines);
  const mark = query.path.indexOf('?');
  const raw = mark < 0 ? query.path : query.path.slice(0, mark);
  // As Envoy does: dot segments are resolved, slashes merged.
  const path = new URL(`http://x${raw}`).pathname.replace(/\/{2,}/g, '/');
  return {
    host: query.host ?? headers.get('host') ?? '',
    path,
    query: mark < 0 ? '' : query.path.slice(mark + 1),
    headers,
    clientIp: query.clientIp ?? '127.0.0.1',
  };
}

export const explain: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/explain',
    summary: 'Where a request would go now, and why: route, policy, candidates, affinity',
    query: ExplainQuery,
    repeated: ['header'],
    answer: {
      status: 200,
      schema: Explanation,
      about:
        'The decision: conditions of the route, routes passed over, each instance with its reason, and one sentence.',
    },
    async handle(call) {
      const query = call.query as z.infer<typeof ExplainQuery>;
      return call.api.explain(sessionRequest(query, call.hono.req.queries('header') ?? []));
    },
  },
];
