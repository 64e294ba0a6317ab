/** Real answers of the API, looked at: each must be what its endpoint's schema says, and nothing else. */
import { ENDPOINTS } from '../../control-plane/src/api/app.ts';
import { Problem } from '../../control-plane/src/api/answers/problem.ts';
import type { Endpoint } from '../../control-plane/src/api/endpoint.ts';
import { faultsOf } from '../../control-plane/src/api/testing.ts';

const PATTERNS = ENDPOINTS.map((endpoint) => ({
  endpoint,
  pattern: new RegExp(`^${endpoint.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));

const endpointAt = (method: string, path: string): Endpoint | undefined =>
  PATTERNS.find(({ endpoint, pattern }) => endpoint.method === method.toLowerCase() && pattern.test(path))?.endpoint;

export const nameOf = ({ method, path }: Endpoint): string => `${method} ${path}`;

const JSON_TYPES = ['application/json', 'application/problem+json'];

/** Endpoints whose answers were looked at. */
export const looked = new Set<string>();

function look(endpoint: Endpoint, { status, type }: { status: number; type: string }, answer: unknown): string[] {
  if (type === 'application/problem+json') return faultsOf(Problem, answer);
  if ('type' in endpoint.answer) return [`is ${type}, and not ${endpoint.answer.type}`];
  looked.add(nameOf(endpoint));
  const told = [endpoint.answer.status, endpoint.answer.also];
  return [...(told.includes(status) ? [] : [`has status ${status}`]), ...faultsOf(endpoint.answer.schema, answer)];
}

/** No wait makes it right. */
export class WrongAnswer extends Error {}

/** `fetch` that throws where an answer in JSON is not as the API's document has it. */
export const lookingFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  const url = new URL(input instanceof Request ? input.url : input);
  const type = response.headers.get('content-type')?.replace(/;.*/, '') ?? '';
  const endpoint = endpointAt(init?.method ?? 'GET', url.pathname);
  // Of chosen fields the others are meant to be missing.
  if (endpoint === undefined || !JSON_TYPES.includes(type) || url.searchParams.has('fields')) return response;
  const text = await response.text();
  const faults = look(endpoint, { status: response.status, type }, JSON.parse(text));
  if (faults.length > 0)
    throw new WrongAnswer(
      `the answer of ${nameOf(endpoint)} is not what its schema says: ${faults.join('; ')}\n${text}`,
    );
  return new Response(text, { status: response.status, headers: response.headers });
};
