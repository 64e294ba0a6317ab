import { Balance, RebalanceRequest } from '../../model/balance.ts';
import type { Endpoint } from '../endpoint.ts';

export const balance: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/services/{name}/balance',
    summary: 'How evenly its open sessions lie on its instances, and what could be done',
    answer: { status: 200, schema: Balance, about: 'The shares, largest excess first, and what is under way.' },
    handle: async (call) => call.api.balance(call.param('name')),
  },
  {
    method: 'post',
    path: '/v1/services/{name}/rebalance',
    summary: 'Steer new sessions, or move live ones by the agent itself, until they lie evenly',
    body: { schema: RebalanceRequest, example: { mode: 'move', rate: 5, most: 100, dryRun: true } },
    answer: {
      status: 200,
      schema: Balance,
      about: 'The balance, with what is under way. 422: it can not be done, with the reason.',
    },
    async handle(call) {
      const request = call.body as RebalanceRequest;
      const answer = call.api.rebalance(call.param('name'), request);
      call.api.log.info({ actor: call.actor, service: call.param('name'), ...request }, 'a rebalance was asked for');
      return answer;
    },
  },
];
