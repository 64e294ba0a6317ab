import { z } from 'zod';
import type { Event } from '../../model/event.ts';
import type { ApiContext } from '../context.ts';
import type { Endpoint } from '../endpoint.ts';
import { observedBy } from '../listing.ts';
import { sendEvents, untilAborted } from '../sse.ts';
import type { LiveState } from '../types.ts';
import { instanceViews, serviceViews } from '../views.ts';

const Query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(5000).default(100),
  after: z.string().max(64).optional().describe('Only events after the one with this id.'),
  subject: z.string().max(128).optional().describe('A name, or Kind/name.'),
});

/** A console is told at most this often. */
const LIVE_GAP_MS = 250;

function liveState(api: ApiContext): LiveState {
  const view = api.registry.view();
  const observed = observedBy(api);
  return {
    revision: view.revision,
    status: api.system(),
    services: serviceViews(view, observed),
    instances: instanceViews(view, observed),
    gateways: api.gateways(),
  };
}

export const events: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/events',
    summary: 'Who changed what and why, newest first; with Accept: text/event-stream also what comes',
    query: Query,
    answer: { status: 200, about: 'Events.' },
    async handle(call) {
      const filter = call.query as { limit: number; after?: string; subject?: string };
      if (!(call.hono.req.header('accept') ?? '').includes('text/event-stream'))
        return { items: await call.api.registry.events(filter) };
      const after = call.hono.req.header('last-event-id') ?? filter.after;
      return sendEvents(call.hono, call.closing, async (sink) => {
        const waiting: Event[] = [];
        let wake: () => void = () => undefined;
        const stop = call.api.registry.subscribeEvents((event) => {
          waiting.push(event);
          wake();
        });
        sink.signal.addEventListener('abort', () => {
          wake();
        });
        const past = await call.api.registry.events({
          limit: filter.limit,
          ...(after === undefined ? {} : { after }),
          ...(filter.subject === undefined ? {} : { subject: filter.subject }),
        });
        const seen = new Set(past.map((event) => event.id));
        for (const event of past.reverse()) await sink.send('event', event, event.id);
        while (!sink.signal.aborted) {
          const event = waiting.shift();
          if (event === undefined) await new Promise<void>((resolve) => (wake = resolve));
          else if (
            !seen.has(event.id) &&
            (filter.subject === undefined || [event.subject.name, event.subject.service].includes(filter.subject))
          )
            await sink.send('event', event, event.id);
        }
        stop();
      });
    },
  },
  {
    method: 'get',
    path: '/v1/live',
    summary: 'The state of everything, at once and after each change (text/event-stream)',
    answer: { status: 200, about: 'Events `state`, at most four a second.' },
    handle: async (call) =>
      sendEvents(call.hono, call.closing, async (sink) => {
        let due = true;
        let timer: NodeJS.Timeout | undefined;
        const push = async (): Promise<void> => {
          due = false;
          await sink.send('state', liveState(call.api));
          timer = setTimeout(() => {
            timer = undefined;
            if (due) void push();
          }, LIVE_GAP_MS);
        };
        const stop = call.api.subscribe(() => {
          due = true;
          if (timer === undefined && !sink.signal.aborted) void push();
        });
        await push();
        await untilAborted(sink.signal);
        stop();
        clearTimeout(timer);
      }),
  },
];
