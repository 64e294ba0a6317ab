import { z } from 'zod';
import type { Event } from '../../model/event.ts';
import type { ApiContext } from '../context.ts';
import { streamOf, type Endpoint, wantsStream } from '../endpoint.ts';
import { createLatch } from '../latch.ts';
import { sendEvents, type EventSink } from '../sse.ts';

/** As many as are kept. */
const MOST = 5000;

const Query = z.strictObject({
  limit: z.coerce.number().int().min(1).max(MOST).default(100).describe('At most this many, the newest (100).'),
  after: z.string().max(64).optional().describe('Only events after the one with this id.'),
  subject: z.string().max(128).optional().describe('A name, or Kind/name.'),
});
type Filter = z.infer<typeof Query>;

async function find(api: ApiContext, { limit, after, subject }: Filter): Promise<Event[]> {
  return api.registry.events({
    limit,
    ...(after === undefined ? {} : { after }),
    ...(subject === undefined ? {} : { subject }),
  });
}

/** Reads on from the last one sent, instead of queueing what comes: a slow client costs nothing, and none is missed or sent twice. */
async function followEvents(
  api: ApiContext,
  filter: Filter,
  resumed: string | undefined,
  sink: EventSink,
): Promise<void> {
  const latch = createLatch();
  const unsubscribe = api.registry.subscribeEvents(latch.wake);
  sink.signal.addEventListener('abort', latch.wake, { once: true });
  try {
    let last = resumed ?? filter.after;
    // Who comes back after a break gets all that it missed.
    let limit = resumed === undefined ? filter.limit : MOST;
    while (!sink.signal.aborted) {
      const fresh = await find(api, { ...filter, limit, after: last });
      for (const event of fresh.reverse()) {
        await sink.send('event', event, event.id);
        last = event.id;
      }
      limit = MOST;
      await latch.wait();
    }
  } finally {
    unsubscribe();
  }
}

export const events: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/events',
    summary: 'Who changed what and why, newest first; with Accept: text/event-stream also what comes',
    query: Query,
    answer: { status: 200, about: 'Events.' },
    async handle(call) {
      const filter = call.query as Filter;
      if (!wantsStream(call)) return { items: await find(call.api, filter) };
      const resumed = call.hono.req.header('last-event-id');
      return sendEvents(streamOf(call), async (sink) => followEvents(call.api, filter, resumed, sink));
    },
  },
  {
    method: 'get',
    path: '/v1/live',
    summary: 'The state of everything, at once and after each change (text/event-stream)',
    answer: { status: 200, about: 'Events `state`, at most four a second.' },
    handle: async (call) => sendEvents(streamOf(call), async (sink) => call.live.follow(sink)),
  },
];
