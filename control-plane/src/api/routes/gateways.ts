import { z } from 'zod';
import { SwitchboardError } from '../../model/errors.ts';
import type { Endpoint } from '../endpoint.ts';

export const gateways: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/gateways',
    summary: 'Every connected Envoy, and what it runs',
    answer: { status: 200, about: 'For each type SYNCED, STALE, NOT_SENT or ERROR, with the text of a refusal.' },
    handle: async (call) => ({ items: call.api.gateways() }),
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
    path: '/v1/sessions',
    summary: 'Open sessions',
    query: z.strictObject({
      service: z.string().optional(),
      instance: z.string().optional().describe('An instance id.'),
      limit: z.coerce.number().int().min(1).max(10_000).default(1000),
    }),
    answer: { status: 200, about: '`settled` is false while a gateway may hold sessions that it has not told of yet.' },
    async handle(call) {
      const { service, instance, limit } = call.query as { service?: string; instance?: string; limit: number };
      const address =
        instance === undefined ? undefined : call.api.registry.view().instances.get(instance)?.value.address;
      const upstream = address === undefined ? '' : `${address.host}:${address.port}`;
      const all = call.api
        .sessions()
        .filter(
          (session) =>
            (service === undefined || session.service === service) &&
            (instance === undefined || session.upstream === upstream),
        );
      return { items: all.slice(0, limit), total: all.length, settled: call.api.sessionCounts().settled };
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
