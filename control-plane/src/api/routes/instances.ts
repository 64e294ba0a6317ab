import { z } from 'zod';
import { SwitchboardError } from '../../model/errors.ts';
import { HealthDetail } from '../../model/health.ts';
import { Registration } from '../../model/instance.ts';
import { HeldLoadReport, LoadReport, LoadSignals } from '../../model/load.ts';
import { missing } from '../../model/missing.ts';
import { answerWrite } from '../acked.ts';
import { Heard, InstanceView, LogLines, Registered } from '../answers/instance.ts';
import { pageOf } from '../answers/list.ts';
import { WriteAnswer } from '../answers/write.ts';
import {
  WriteQuery,
  nowQuery,
  writeOptions,
  writeQuery,
  streamOf,
  wantsStream,
  type Call,
  type Endpoint,
} from '../endpoint.ts';
import { answerList, listQuery } from '../lists.ts';
import { observedBy } from '../observed.ts';
import { sendEvents } from '../sse.ts';
import { instanceView, instanceViews } from '../views.ts';

/** With `load`, a heartbeat tells how busy the agent is, too. */
const Heartbeat = z.strictObject({ token: z.int(), load: LoadReport.optional() });

function find(call: Call) {
  const id = call.param('id');
  const held = call.api.registry.view().instances.get(id);
  if (held === undefined) throw missing('instance', id, call.api.registry.view().instances.keys());
  return held;
}

function notLookedAt(call: Call): never {
  const { id, state } = find(call).value;
  throw new SwitchboardError('conflict', `instance ${id} is not checked while it is ${state}`);
}

export const instances: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/instances',
    summary: 'All instances, by id',
    query: listQuery(InstanceView).extend({ service: z.string().optional().describe('Only those of this service.') }),
    answer: {
      status: 200,
      schema: pageOf(InstanceView),
      stream: true,
      about: 'A page of instances with state, health and sessions.',
    },
    async handle(call) {
      const { service } = call.query as { service?: string };
      return answerList(call, {
        items: () =>
          instanceViews(call.api.registry.view(), observedBy(call.api)).filter(
            (one) => service === undefined || one.service === service,
          ),
        keyOf: (one) => one.id,
        labelsOf: (one) => one.tags,
      });
    },
  },
  {
    method: 'post',
    path: '/v1/instances',
    summary: 'Register an instance that runs elsewhere',
    query: WriteQuery,
    body: {
      schema: Registration,
      example: { service: 'weather', address: { host: '127.0.0.1', port: 8080 }, ttlSeconds: 15 },
    },
    answer: { status: 201, schema: Registered, about: 'The instance, and the token for its heartbeats.' },
    async handle(call) {
      const registered = await call.api.registry.register(call.body as Registration, writeOptions(call));
      return call.hono.json(registered, 201);
    },
  },
  {
    method: 'get',
    path: '/v1/instances/{id}',
    summary: 'One instance',
    answer: { status: 200, schema: InstanceView, about: 'The instance.' },
    async handle(call) {
      const held = find(call);
      call.hono.header('etag', `"${held.revision}"`);
      return instanceView(held, observedBy(call.api));
    },
  },
  {
    method: 'post',
    path: '/v1/instances/{id}/heartbeat',
    summary: 'Keep a registration alive',
    body: { schema: Heartbeat, example: { token: 1, load: { load: 0.4 } } },
    answer: { status: 200, schema: Heard, about: 'Until when it lives. 404: it was lost, register again.' },
    async handle(call) {
      const { token, load } = call.body as z.infer<typeof Heartbeat>;
      const beat = await call.api.registry.heartbeat(call.param('id'), token);
      if (load !== undefined) call.api.reportLoad(call.param('id'), load);
      return beat;
    },
  },
  {
    method: 'get',
    path: '/v1/instances/{id}/health',
    summary: 'Its health at every level, each check with its last results, and the last verdicts',
    answer: { status: 200, schema: HealthDetail, about: 'The health. 409: nothing looks at it in its present state.' },
    async handle(call) {
      return call.api.healthDetail(find(call).value.id) ?? notLookedAt(call);
    },
  },
  {
    method: 'post',
    path: '/v1/instances/{id}/check',
    summary: 'Check it now, at every level',
    answer: {
      status: 200,
      schema: HealthDetail,
      about: 'The health after the checks. 409: nothing looks at it in its present state.',
    },
    async handle(call) {
      return (await call.api.checkNow(find(call).value.id)) ?? notLookedAt(call);
    },
  },
  {
    method: 'get',
    path: '/v1/instances/{id}/load',
    summary: 'Its live signals: sessions, probe latency, error rate, what it reports, processor and memory',
    answer: { status: 200, schema: LoadSignals, about: 'The signals. What is absent is not known.' },
    async handle(call) {
      const { id } = find(call).value;
      return call.api.signals(id) ?? { instance: id, sessions: 0 };
    },
  },
  {
    method: 'post',
    path: '/v1/instances/{id}/load',
    summary: "The agent's own report of how busy and how well it is; counts for a minute",
    body: { schema: LoadReport, example: { load: 0.4, status: 'ok', message: '4 of 10 workers are busy' } },
    answer: { status: 200, schema: HeldLoadReport, about: 'The report as it is kept.' },
    async handle(call) {
      find(call);
      return call.api.reportLoad(call.param('id'), call.body as LoadReport);
    },
  },
  {
    method: 'delete',
    path: '/v1/instances/{id}',
    summary: 'Deregister an instance; it is drained first',
    query: z.strictObject({ ...writeQuery, ...nowQuery }),
    answer: {
      status: 200,
      schema: WriteAnswer,
      about: 'What it does to open sessions. The lease token goes in the header x-lease-token.',
    },
    async handle(call) {
      find(call);
      const given = call.hono.req.header('x-lease-token') ?? '';
      if (!/^\d{1,15}$/.test(given))
        throw new SwitchboardError('invalid', 'the header x-lease-token must be the token of the registration', {
          issues: [{ path: 'x-lease-token', message: 'must be the token of the registration' }],
          remedy: 'An instance that did not register itself is ended with POST /v1/instances/{id}/stop.',
        });
      const token = Number(given);
      return answerWrite(
        call,
        await call.api.registry.deregister(call.param('id'), token, {
          ...writeOptions(call),
          now: call.query['now'] === true,
        }),
      );
    },
  },
  {
    method: 'post',
    path: '/v1/instances/{id}/stop',
    summary: 'Drain and stop one instance; a replacement is started first where one is wanted',
    query: WriteQuery,
    body: { schema: z.strictObject({ now: z.boolean().optional() }), example: { now: false } },
    answer: { status: 200, schema: WriteAnswer, about: 'What it does to open sessions.' },
    handle: async (call) =>
      answerWrite(
        call,
        await call.api.registry.stopInstance(call.param('id'), {
          ...writeOptions(call),
          now: (call.body as { now?: boolean }).now === true,
        }),
      ),
  },
  {
    method: 'get',
    path: '/v1/instances/{id}/logs',
    summary: 'The last lines of its log; with Accept: text/event-stream also what comes',
    query: z.strictObject({
      tail: z.coerce.number().int().min(0).max(10_000).default(100).describe('How many lines of each stream.'),
    }),
    answer: { status: 200, schema: LogLines, stream: true, about: 'Lines, or events `line`.' },
    async handle(call) {
      find(call);
      const tail = call.query['tail'] as number;
      const follow = wantsStream(call);
      if (follow) {
        return sendEvents(streamOf(call), async (sink) => {
          for await (const line of call.api.logs(call.param('id'), { tail, follow, signal: sink.signal }))
            await sink.send('line', line);
        });
      }
      const lines = [];
      for await (const line of call.api.logs(call.param('id'), { tail, follow, signal: call.closing }))
        lines.push(line);
      return { lines };
    },
  },
];
