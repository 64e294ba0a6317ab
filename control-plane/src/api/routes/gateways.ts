import { SwitchboardError } from '../../model/errors.ts';
import type { Endpoint } from '../endpoint.ts';
import { ListQuery, answerList } from '../lists.ts';
import { inOrder } from '../views.ts';

export const gateways: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/gateways',
    summary: 'Every connected Envoy, and what it runs',
    answer: { status: 200, about: 'For each type SYNCED, STALE, NOT_SENT or ERROR, with the text of a refusal.' },
    query: ListQuery,
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
    answer: { status: 200, about: 'The gateway.' },
    async handle(call) {
      const found = call.api.gateways().find((gateway) => gateway.node === call.param('node'));
      if (found === undefined) throw new SwitchboardError('not_found', `no gateway ${call.param('node')} is connected`);
      return found;
    },
  },
  {
    method: 'get',
    path: '/v1/revisions/{number}',
    summary: 'What became of a revision: stored, published, acknowledged',
    answer: { status: 200, about: 'Its timeline. Only the newest revisions since the start are known.' },
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
