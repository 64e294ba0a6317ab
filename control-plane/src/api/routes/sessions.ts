import { z } from 'zod';
import { splitAddress } from '../../model/address.ts';
import { SwitchboardError } from '../../model/errors.ts';
import { plainText } from '../../model/plain-text.ts';
import { SessionEnd } from '../../model/session-end.ts';
import { Duration, durationMs } from '../../model/units.ts';
import type { Session, SessionChange } from '../../telemetry/session.ts';
import { AnySession, SessionCount, SessionEnds, Sessions, type SessionPage } from '../answers/session.ts';
import { streamOf, wantsStream, type Call, type Endpoint } from '../endpoint.ts';
import { createLatch } from '../latch.ts';
import { sendEvents } from '../sse.ts';

const Filter = z.strictObject({
  service: z.string().max(63).optional(),
  instance: z.string().max(63).optional().describe('An instance id.'),
  version: z.int().min(0).optional(),
  client: z.string().max(64).optional().describe('The client address, with or without its port.'),
  since: z
    .union([Duration, z.iso.datetime()])
    .optional()
    .describe('Opened (ended, for ended ones) since then: a time, or a duration back from now such as 10m.'),
  text: z.string().max(256).optional().describe('Somewhere in id, path, user agent, principal or route.'),
});
type Filter = z.infer<typeof Filter>;

/** In an address all are texts. */
const FilterQuery = Filter.extend({ version: z.coerce.number().int().min(0).optional() });

const ListQuery = FilterQuery.extend({
  state: z.enum(['open', 'ended']).default('open').describe('Ended ones are kept for an hour, at most 5,000.'),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
  after: z.string().max(64).optional().describe('Go on after this item: the `next` of the page before.'),
});

const GROUPS = ['service', 'instance', 'version', 'client', 'gateway', 'route', 'policy'] as const;

const Reason = plainText(200).default('');

/** More than these at once are a mistake, or need a filter. */
const MOST_ENDED = 10_000;
/** A reader that falls this far behind is cut off rather than fed from memory without end. */
const MOST_WAITING = 20_000;

function matcher(filter: Filter, now: number, timeOf: (session: Session) => string): (session: Session) => boolean {
  const { service, instance, version, client, since, text } = filter;
  const limit =
    since === undefined ? '' : since.includes('T') ? since : new Date(now - durationMs(since)).toISOString();
  const part = text?.toLowerCase();
  return (session) =>
    (service === undefined || session.service === service) &&
    (instance === undefined || session.instance === instance) &&
    (version === undefined || session.version === version) &&
    (client === undefined || session.client === client || splitAddress(session.client).host === client) &&
    (limit === '' || timeOf(session) >= limit) &&
    (part === undefined ||
      [session.id, session.path, session.userAgent, session.principal ?? '', session.route].some((one) =>
        one.toLowerCase().includes(part),
      ));
}

const openedAt = (session: Session): string => session.startedAt;
const endedAt = (session: Session): string => ('endedAt' in session ? String(session.endedAt) : session.startedAt);

function openOnes(call: Call, filter: Filter): Session[] {
  return call.api.sessions().filter(matcher(filter, call.api.now(), openedAt));
}

function newestFirst(sessions: Session[]): Session[] {
  return sessions.sort((a, b) =>
    a.startedAt === b.startedAt ? (a.id < b.id ? -1 : 1) : a.startedAt < b.startedAt ? 1 : -1,
  );
}

function listed(call: Call): SessionPage<Session> {
  const { state, limit, after, ...filter } = call.query as z.infer<typeof ListQuery>;
  const all =
    state === 'open'
      ? newestFirst(openOnes(call, filter))
      : call.api.endedSessions().filter(matcher(filter, call.api.now(), endedAt));
  const from = after === undefined ? 0 : all.findIndex((session) => session.id === after) + 1;
  if (after !== undefined && from === 0)
    throw new SwitchboardError('invalid', `after: there is no session ${after} in this list any more`, {
      issues: [{ path: 'query.after', message: 'is not in this list any more: begin again' }],
    });
  const items = all.slice(from, from + limit);
  const last = items.at(-1);
  const { settled, unlisted } = call.api.sessionCounts();
  const more = last !== undefined && all.length > from + limit;
  return { items, total: all.length, unlisted, settled, ...(more ? { next: last.id } : {}) };
}

function followed(call: Call): Response {
  const filter = call.query as Filter;
  const matches = matcher(filter, call.api.now(), openedAt);
  return sendEvents(streamOf(call), async (sink) => {
    const waiting: SessionChange[] = [];
    const latch = createLatch();
    const stop = call.api.watchSessions((change) => {
      if (!matches(change.session)) return;
      waiting.push(change);
      latch.wake();
    });
    sink.signal.addEventListener('abort', latch.wake, { once: true });
    try {
      for (const session of newestFirst(openOnes(call, filter)).reverse())
        await sink.send('opened', session, session.id);
      while (!sink.signal.aborted && waiting.length < MOST_WAITING) {
        const change = waiting.shift();
        if (change === undefined) await latch.wait();
        else await sink.send(change.type, change.session, change.session.id);
      }
    } finally {
      stop();
    }
  });
}

async function noteEnd(call: Call, name: string, message: string, reason: string): Promise<void> {
  await call.api.registry.note(
    { action: 'session.end', subject: { kind: 'Session', name }, message },
    { actor: call.actor, requestId: call.requestId, ...(reason === '' ? {} : { note: reason }) },
  );
}

export const sessions: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/sessions',
    summary: 'Open sessions, newest first, or those that ended lately; with Accept: text/event-stream also what comes',
    query: ListQuery,
    answer: {
      status: 200,
      schema: Sessions,
      stream: true,
      about:
        '`settled` is false while a gateway may hold sessions that it has not told of yet. Events `opened`, `ended`.',
    },
    handle: async (call) => (wantsStream(call) ? followed(call) : listed(call)),
  },
  {
    method: 'get',
    path: '/v1/sessions/count',
    summary: 'How many sessions are open, by service, instance, version, client, gateway, route or policy',
    query: FilterQuery.extend({ by: z.enum(GROUPS).default('service') }),
    answer: {
      status: 200,
      schema: SessionCount,
      about: 'The total of what matches, and of each group, largest first.',
    },
    async handle(call): Promise<SessionCount> {
      const { by, ...filter } = call.query as Filter & { by: (typeof GROUPS)[number] };
      const groups = new Map<string, number>();
      const all = openOnes(call, filter);
      for (const session of all) {
        const value = String(session[by] ?? '');
        const key = by === 'client' ? splitAddress(value).host : value;
        groups.set(key, (groups.get(key) ?? 0) + 1);
      }
      const { settled, unlisted } = call.api.sessionCounts();
      // Without a filter the gateways' own count is in it.
      const total = Object.values(filter).some((value) => value !== undefined) ? all.length : all.length + unlisted;
      return {
        total,
        unlisted,
        settled,
        by,
        groups: [...groups]
          .map(([key, count]) => ({ key, count }))
          .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1)),
      };
    },
  },
  {
    method: 'post',
    path: '/v1/sessions/end',
    summary: 'End the sessions that a filter chooses, by their agents or by destroying their connections',
    body: {
      schema: z.strictObject({
        filter: Filter,
        reason: Reason,
        dryRun: z.boolean().default(false),
        /** Without any filter it must be said that all are meant. */
        all: z.boolean().default(false),
      }),
      example: { filter: { service: 'weather', client: '10.0.0.7' }, reason: 'abuse', dryRun: true },
    },
    answer: { status: 200, schema: SessionEnds, about: 'For each session what was done, or why it can not be ended.' },
    async handle(call) {
      const { filter, reason, dryRun, all } = call.body as {
        filter: Filter;
        reason: string;
        dryRun: boolean;
        all: boolean;
      };
      if (!all && Object.values(filter).every((value) => value === undefined))
        throw new SwitchboardError('invalid', 'filter: an empty filter would end every session', {
          issues: [{ path: 'filter', message: 'is empty' }],
          remedy: 'Say `all: true` if every session is meant.',
        });
      const chosen = openOnes(call, filter);
      if (chosen.length > MOST_ENDED)
        throw new SwitchboardError('invalid', `filter: ${chosen.length} sessions match, more than ${MOST_ENDED}`, {
          issues: [{ path: 'filter', message: 'matches too many sessions' }],
        });
      const items = await call.api.endSessions(chosen, { reason, dryRun });
      if (!dryRun) await noteEnd(call, 'all', `${items.length} sessions were asked to end`, reason);
      call.api.log.info({ actor: call.actor, filter, dryRun, count: items.length }, 'sessions were asked to end');
      return { items, total: chosen.length };
    },
  },
  {
    method: 'get',
    path: '/v1/sessions/{id}',
    summary: 'One session, open or ended lately',
    answer: {
      status: 200,
      schema: AnySession,
      about: 'The session, with the reason of its placement, and of its end if it has ended.',
    },
    async handle(call) {
      const found = call.api.session(call.param('id'));
      if (found === undefined)
        throw new SwitchboardError('not_found', `there is no session ${call.param('id')}, and none ended lately`);
      return found;
    },
  },
  {
    method: 'post',
    path: '/v1/sessions/{id}/end',
    summary: 'End one session, by its agent or by destroying its connection',
    body: { schema: z.strictObject({ reason: Reason }), example: { reason: 'support ticket 12' } },
    answer: { status: 200, schema: SessionEnd, about: 'What was done. 422: it can not be ended, with the reason.' },
    async handle(call) {
      const found = call.api.session(call.param('id'));
      if (found === undefined || 'endedAt' in found)
        throw new SwitchboardError('not_found', `there is no open session ${call.param('id')}`);
      const { reason } = call.body as { reason: string };
      const [done] = await call.api.endSessions([found], { reason, dryRun: false });
      await noteEnd(
        call,
        found.id,
        `session ${found.id} of ${found.service} was asked to end: ${done?.outcome ?? 'cannot'}`,
        reason,
      );
      call.api.log.info({ actor: call.actor, session: found.id, outcome: done?.outcome }, 'a session was asked to end');
      if (done === undefined || done.outcome === 'cannot')
        throw new SwitchboardError('unsupported', `session ${found.id} can not be ended: ${done?.message ?? ''}`, {
          remedy: 'Give the service a close hook, or drain or stop the instance, which ends all its sessions.',
        });
      return done;
    },
  },
];
