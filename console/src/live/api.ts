/** Calls of the API with the token, and the live stream: fetched rather than an EventSource, which can't send a token. */
import type { LiveState, WriteAnswer } from '../../../control-plane/src/api/types.ts';
import type { Event } from '../../../control-plane/src/model/event.ts';

export class Unauthorized extends Error {}

async function call(token: string, path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
  if (response.status === 401) throw new Unauthorized();
  if (!response.ok) {
    const problem = (await response.json().catch(() => ({}))) as { detail?: string };
    throw new Error(problem.detail ?? `HTTP ${response.status}`);
  }
  return response;
}

export type Verb = 'start' | 'stop' | 'restart';

export async function act(token: string, service: string, verb: Verb, dryRun: boolean): Promise<WriteAnswer> {
  const response = await call(token, `/v1/services/${service}/${verb}?dryRun=${dryRun}`, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  return (await response.json()) as WriteAnswer;
}

export async function recentEvents(token: string): Promise<Event[]> {
  const response = await call(token, '/v1/events?limit=12');
  return ((await response.json()) as { items: Event[] }).items;
}

/** Calls `onState` for each state until the stream ends or the signal. Server-sent events come as `data:` lines, an empty line after each. */
export async function followLive(
  token: string,
  signal: AbortSignal,
  onState: (state: LiveState) => void,
): Promise<void> {
  const response = await call(token, '/v1/live', { signal, headers: { accept: 'text/event-stream' } });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    rest += part.value;
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = block
        .split('\n')
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5))
        .join('\n');
      if (data !== '') onState(JSON.parse(data) as LiveState);
    }
  }
}
