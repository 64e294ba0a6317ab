import { z } from 'zod';
import {
  DrainRequest,
  type GatewayDrain,
  type DrainProgress,
  type DrainTarget,
  type GatewayDrainProgress,
} from '../../model/drain.ts';
import { plainText } from '../../model/plain-text.ts';
import { estimateEmpty } from '../../telemetry/estimate.ts';
import { answerWrite } from '../acked.ts';
import { Drains, GatewayDrains } from '../answers/gateway.ts';
import { WriteAnswer } from '../answers/write.ts';
import { emptyingBy } from '../emptying.ts';
import { WriteQuery, writeOptions, type Call, type Endpoint } from '../endpoint.ts';
import { sessionsOf } from '../views.ts';

const Nothing = z.strictObject({});
const GatewayRequest = z.strictObject({ reason: plainText(200).default('Requested') });

function progress({ api }: Call): DrainProgress[] {
  const emptying = emptyingBy(api);
  const counts = api.sessionCounts();
  return [...api.registry.view().instances.values()]
    .flatMap(({ value: instance }): DrainProgress[] => {
      const { drain } = instance;
      if (drain === undefined) return [];
      const estimate = emptying(instance.service, [instance.id]);
      return [
        {
          ...drain,
          instance: instance.id,
          service: instance.service,
          state: instance.reason === 'Drained' && drain.then === 'keep' ? 'empty' : instance.state,
          remaining: sessionsOf(instance, counts),
          estimateMs: estimate.ms,
          estimateReason: estimate.reason,
        },
      ];
    })
    .sort((a, b) => (a.instance < b.instance ? -1 : 1));
}

function gatewayProgress(
  { api }: Call,
  drains: readonly (GatewayDrain & { readonly node: string })[] = api.gatewayDrains.list(),
): GatewayDrainProgress[] {
  const lengths = api.endedSessions().map((session) => session.durationMs);
  return drains.map((drain) => {
    const open = api.sessions().filter((session) => session.gateway === drain.node);
    const ages = open.map((session) => api.now() - Date.parse(session.startedAt));
    const estimate = estimateEmpty(ages, lengths);
    return { ...drain, remaining: open.length, estimateMs: estimate.ms, estimateReason: estimate.reason };
  });
}

function verbs(path: string, what: string, targetOf: (call: Call) => DrainTarget): Endpoint[] {
  return [
    {
      method: 'post',
      path: `${path}/drain`,
      summary: `Send no new sessions to ${what}; then stop it, or keep it for maintenance`,
      query: WriteQuery,
      body: { schema: DrainRequest, example: { policy: 'close', then: 'keep', deadline: '30m' } },
      answer: { status: 200, schema: WriteAnswer, about: 'What it does to open sessions. Progress: GET /v1/drains.' },
      handle: async (call) =>
        answerWrite(call, await call.api.registry.drain(targetOf(call), call.body as DrainRequest, writeOptions(call))),
    },
    {
      method: 'post',
      path: `${path}/undrain`,
      summary: `Cancel the drain of ${what}`,
      query: WriteQuery,
      body: { schema: Nothing, example: {} },
      answer: { status: 200, schema: WriteAnswer, about: 'What was changed. 409: it is being stopped already.' },
      handle: async (call) => answerWrite(call, await call.api.registry.undrain(targetOf(call), writeOptions(call))),
    },
  ];
}

export const drains: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/drains',
    summary: 'Every drain that is under way: what is open still, and when it may be over',
    answer: { status: 200, schema: Drains, about: 'The estimate is from the lengths of sessions that ended lately.' },
    handle: async (call) => ({ items: progress(call), gateways: gatewayProgress(call) }),
  },
  {
    method: 'post',
    path: '/v1/gateways/{node}/drain',
    summary: 'Let a gateway take no new connections; its open sessions go on',
    query: WriteQuery,
    body: { schema: GatewayRequest, example: { reason: 'new kernel' } },
    answer: {
      status: 200,
      schema: GatewayDrains,
      about: 'What is open on it still. 422: it runs elsewhere, with what to do there.',
    },
    async handle(call) {
      const { reason } = call.body as z.infer<typeof GatewayRequest>;
      const drains = await call.api.gatewayDrains.set(call.param('node'), reason, writeOptions(call));
      return { gateways: gatewayProgress(call, drains) };
    },
  },
  {
    method: 'post',
    path: '/v1/gateways/{node}/undrain',
    summary: 'Let a gateway take new connections again',
    query: WriteQuery,
    body: { schema: Nothing, example: {} },
    answer: { status: 200, schema: GatewayDrains, about: 'The gateways that are drained still.' },
    async handle(call) {
      const drains = await call.api.gatewayDrains.set(call.param('node'), undefined, writeOptions(call));
      return { gateways: gatewayProgress(call, drains) };
    },
  },
  ...verbs('/v1/instances/{id}', 'an instance', (call) => ({ kind: 'instance', id: call.param('id') })),
  ...verbs('/v1/services/{name}/versions/{number}', 'all instances of a version', (call) => ({
    kind: 'version',
    name: call.param('name'),
    number: Number(call.param('number')),
  })),
  ...verbs('/v1/services/{name}', 'all instances of a service', (call) => ({
    kind: 'service',
    name: call.param('name'),
  })),
];
