import { z } from 'zod';
import { SwitchboardError } from '../../model/errors.ts';
import { DriftReport, GatewayConfig, GatewayRestart } from '../../model/gateway.ts';
import { RevisionTimeline } from '../../model/system.ts';
import { Duration, durationMs } from '../../model/units.ts';
import { GatewayView } from '../answers/gateway.ts';
import { pageOf } from '../answers/list.ts';
import { WriteQuery, writeOptions, type Endpoint } from '../endpoint.ts';
import { answerList, listQuery } from '../lists.ts';
import { inOrder } from '../views.ts';

const RestartRequest = z.strictObject({
  /** What the old one still has open then is ended. Absent: never. */
  deadline: Duration.optional(),
});

export const gateways: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/gateways',
    summary: 'Every connected Envoy, and what it runs',
    answer: {
      status: 200,
      schema: pageOf(GatewayView),
      stream: true,
      about: 'For each type SYNCED, STALE, NOT_SENT or ERROR, with the text of a refusal.',
    },
    query: listQuery(GatewayView),
    handle: async (call) =>
      answerList(call, {
        items: () => [...call.api.gateways()].sort((a, b) => inOrder(a.node, b.node)),
        keyOf: (gateway) => gateway.node,
      }),
  },
  {
    method: 'get',
    path: '/v1/gateways/{node}',
    summary: 'One connected Envoy',
    answer: { status: 200, schema: GatewayView, about: 'The gateway.' },
    async handle(call) {
      const found = call.api.gateways().find((gateway) => gateway.node === call.param('node'));
      if (found === undefined) throw new SwitchboardError('not_found', `no gateway ${call.param('node')} is connected`);
      return found;
    },
  },
  {
    method: 'get',
    path: '/v1/gateways/{node}/config/{type}',
    summary: 'Resources of one type (cds, eds, lds, rds, ecds, sds) as sent, as Envoy has them, and what differs',
    query: z.strictObject({ name: z.string().max(256).optional().describe('This resource alone.') }),
    answer: {
      status: 200,
      schema: GatewayConfig,
      about:
        'Keys, passwords and tokens are left out. `envoy.reachable` is false where its admin socket can not be reached.',
    },
    async handle(call) {
      const { name } = call.query as { name?: string };
      return call.api.gatewayConfig(call.param('node'), call.param('type'), name);
    },
  },
  {
    method: 'post',
    path: '/v1/gateways/{node}/compare',
    summary: "Compare Envoy's own view with the registry now",
    answer: {
      status: 200,
      schema: DriftReport,
      about: 'What differs; empty: nothing. It is done at an interval too (`drift.interval`).',
    },
    handle: async (call) => call.api.lookForDrift(call.param('node')),
  },
  {
    method: 'post',
    path: '/v1/gateways/{node}/restart',
    summary: 'Replace Envoy by a new one that takes all new connections, while the old one serves what it has open',
    query: WriteQuery,
    body: { schema: RestartRequest, example: { deadline: '1h' } },
    answer: {
      status: 200,
      schema: GatewayRestart,
      about:
        'When the new one serves. 409: the one before still has sessions. 422: it can not be done here, with the reason.',
    },
    async handle(call) {
      const { deadline } = call.body as z.infer<typeof RestartRequest>;
      const deadlineMs = deadline === undefined ? undefined : durationMs(deadline);
      return call.api.restartGateway(call.param('node'), deadlineMs, writeOptions(call));
    },
  },
  {
    method: 'get',
    path: '/v1/revisions/{number}',
    summary: 'What became of a revision: stored, published, acknowledged',
    answer: {
      status: 200,
      schema: RevisionTimeline,
      about: 'Its timeline. Only the newest revisions since the start are known.',
    },
    async handle(call) {
      const timeline = call.api.revision(Number(call.param('number')));
      if (timeline === undefined)
        throw new SwitchboardError(
          'not_found',
          `revision ${call.param('number')} is not known: only the newest since the start of the control plane are`,
        );
      return timeline;
    },
  },
];
