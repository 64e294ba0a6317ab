import { Readable } from 'node:stream';
import { z } from 'zod';
import { AuditReport, ChainLink, Event, type EventFilter } from '../../model/event.ts';
import { Duration, durationMs } from '../../model/units.ts';
import { feedOf } from '../answers/list.ts';
import type { ApiContext } from '../context.ts';
import { flag, streamOf, type Call, type Endpoint, wantsStream } from '../endpoint.ts';
import { createLatch } from '../latch.ts';
import { sendEvents, type EventSink } from '../sse.ts';

/** At most this many at once. */
const MOST = 5_000;
const PAGE = 500;

const Events = feedOf(Event);
const Time = z.union([z.iso.datetime({ offset: true }), Duration]).optional();

const Selection = z.strictObject({
  subject: z.string().max(128).optional().describe('A name, or Kind/name.'),
  kind: z.string().max(32).optional().describe('Of the subject: Service, Instance, Route, Gateway, ...'),
  service: z.string().max(63).optional().describe('The service, and its instances.'),
  actor: z.string().max(128).optional().describe('Who: admin, controller, or whoever a token names.'),
  action: z.string().max(64).optional().describe('Such as instance.ready, or instance for all of them.'),
  since: Time.describe('From a time on, or how long ago: 1h.'),
  until: Time.describe('Before a time, or how long ago.'),
  text: z.string().max(200).optional().describe('Somewhere in message, action, actor, note, id or request id.'),
});
const Query = Selection.extend({
  limit: z.coerce.number().int().min(1).max(MOST).default(100).describe('At most this many, the newest (100).'),
  after: z.string().max(64).optional().describe('Only events after the one with this id.'),
  cursor: z.string().max(64).optional().describe('Go on with older ones: the `next` of the page before.'),
});

function timeOf(text: string | undefined, now: number): string | undefined {
  if (text === undefined) return undefined;
  const at = Duration.safeParse(text).success ? now - durationMs(text) : Date.parse(text);
  return new Date(at).toISOString();
}

function filterOf(call: Call): EventFilter {
  const { cursor, since, until, ...rest } = call.query as z.infer<typeof Query>;
  const from = timeOf(since, call.api.now());
  const to = timeOf(until, call.api.now());
  const given = { ...rest, since: from, until: to, before: cursor, limit: rest.limit };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as unknown as EventFilter;
}

/** Reads on from the last one sent, instead of queueing what comes: a slow client costs nothing, and none is missed or sent twice. */
async function followEvents(
  api: ApiContext,
  filter: EventFilter,
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
      const [newest] = await api.registry.events({ limit: 1 });
      const fresh = await api.registry.events({ ...filter, limit, ...(last === undefined ? {} : { after: last }) });
      for (const event of fresh.reverse()) await sink.send('event', event, event.id);
      // What does not fit the filter is passed over for good.
      last = fresh.at(-1)?.id ?? newest?.id ?? last;
      limit = MOST;
      await latch.wait();
    }
  } finally {
    unsubscribe();
  }
}

/** Newest first, in pages, so that much of it never lies in memory as text. */
async function* exported(api: ApiContext, filter: EventFilter): AsyncGenerator<string> {
  let before: string | undefined;
  for (;;) {
    const page: Event[] = await api.registry.events({
      ...filter,
      limit: PAGE,
      ...(before === undefined ? {} : { before }),
    });
    for (const event of page) yield `${JSON.stringify(event)}\n`;
    before = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}

const example: Event = {
  kind: 'Event',
  id: '0mh2k3abc-x7f3qz',
  at: '2026-11-25T04:00:00.000Z',
  actor: 'admin',
  action: 'service.update',
  subject: { kind: 'Service', name: 'weather' },
  message: 'service weather was changed: spec.replicas',
  note: 'more for the evening',
  requestId: '4f1c2d',
  revision: 42,
  before: { 'spec.replicas': 2 },
  after: { 'spec.replicas': 3 },
  chain: { number: 240, hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' },
};

export const events: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/events',
    summary: 'Who changed what and why, newest first; with Accept: text/event-stream also what comes',
    query: Query,
    answer: {
      status: 200,
      schema: Events,
      stream: true,
      about: 'A page of events. As a stream: events `event`; Last-Event-ID brings what was missed.',
      example: { items: [example] },
    },
    async handle(call) {
      const filter = filterOf(call);
      if (wantsStream(call)) {
        const resumed = call.hono.req.header('last-event-id');
        return sendEvents(streamOf(call), async (sink) => followEvents(call.api, filter, resumed, sink));
      }
      const found = await call.api.registry.events({ ...filter, limit: filter.limit + 1 });
      const items = found.slice(0, filter.limit);
      const last = items.at(-1);
      return { items, ...(last !== undefined && found.length > filter.limit ? { next: last.id } : {}) };
    },
  },
  {
    method: 'get',
    path: '/v1/events/verify',
    summary: 'Whether the stored events are those that were written: none changed, taken out or put in',
    query: z.strictObject({
      head: z
        .string()
        .regex(/^\d{1,15}:[0-9a-f]{64}$/, 'must be NUMBER:HASH, as an earlier answer had its head')
        .optional()
        .describe('The head of an earlier answer, NUMBER:HASH: whether the chain still has it.'),
    }),
    answer: {
      status: 200,
      schema: AuditReport,
      about:
        'The outcome, with what is wrong (`ok` false). Each event has its `chain`: number and SHA-256 over the hash before, number and content.',
      example: {
        ok: true,
        checked: 240,
        unsealed: 0,
        head: { number: 240, hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' },
        floor: { number: 0, hash: '' },
        problems: [],
        problemCount: 0,
      },
    },
    async handle(call) {
      const [number, hash] = ((call.query as { head?: string }).head ?? '').split(':');
      return call.api.registry.verifyEvents(hash === undefined ? undefined : { number: Number(number), hash });
    },
  },
  {
    method: 'get',
    path: '/v1/events/head',
    summary: 'Number and hash of the newest event: kept elsewhere, it shows later that nothing up to it was changed',
    answer: {
      status: 200,
      schema: ChainLink,
      about: 'The head of the chain. Number 0: no event has a hash yet.',
      example: { number: 240, hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' },
    },
    handle: async (call) => call.api.registry.eventsHead(),
  },
  {
    method: 'get',
    path: '/v1/events/export',
    summary: 'All events that fit, newest first, one JSON object a line (NDJSON)',
    query: Selection,
    answer: { status: 200, type: 'application/x-ndjson', about: 'Events, one a line.' },
    async handle(call) {
      const name = `events-${new Date(call.api.now()).toISOString().slice(0, 10)}.ndjson`;
      return call.hono.body(Readable.toWeb(Readable.from(exported(call.api, filterOf(call)))) as ReadableStream, 200, {
        'content-type': 'application/x-ndjson',
        'content-disposition': `attachment; filename="${name}"`,
      });
    },
  },
  {
    method: 'get',
    path: '/v1/live',
    summary: 'The state of everything, at once and after each change (text/event-stream)',
    query: z.strictObject({
      changes: flag
        .optional()
        .describe(
          'After the first event only what changed: events `changes`, with `gone` for what is no longer there.',
        ),
    }),
    answer: {
      status: 200,
      type: 'text/event-stream',
      about: 'Events `state`: at most four a second, and one a second where only numbers of sessions change.',
    },
    handle: async (call) =>
      sendEvents(streamOf(call), async (sink) => call.live.follow(sink, { changes: call.query['changes'] === true })),
  },
];
