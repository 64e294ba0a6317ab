import { z } from 'zod';
import { missing } from '../../model/missing.ts';
import { RouteDocument } from '../../model/route.ts';
import { answerWrite } from '../acked.ts';
import { pageOf } from '../answers/list.ts';
import { RouteView } from '../answers/route.ts';
import { WriteAnswer } from '../answers/write.ts';
import { WriteQuery, writeOptions, type Call, type Endpoint } from '../endpoint.ts';
import { withIdentity } from '../identity.ts';
import { answerList, listQuery } from '../lists.ts';
import { DocumentPatch, mergePatch } from '../merge-patch.ts';
import { routeView, routeViews } from '../route-views.ts';
import { byName } from '../views.ts';

const example = { spec: { match: { path: { prefix: '/chat' } }, target: { service: 'weather' }, rewrite: '/' } };

function find(call: Call) {
  const held = call.api.registry.view().routes.get(call.param('name'));
  if (held === undefined) throw missing('route', call.param('name'), call.api.registry.view().routes.keys());
  return held;
}

export const routes: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/routes',
    summary: 'All routes, by name',
    query: listQuery(RouteView),
    answer: {
      status: 200,
      schema: pageOf(RouteView),
      stream: true,
      about: 'A page of routes. Every service has /agents/<name> besides.',
    },
    async handle(call) {
      return answerList(call, {
        items: () => routeViews(call.api).sort(byName),
        keyOf: (one) => one.name,
        labelsOf: (one) => one.labels,
      });
    },
  },
  {
    method: 'get',
    path: '/v1/routes/{name}',
    summary: 'One route',
    answer: { status: 200, schema: RouteView, about: 'The route; its ETag is its revision.' },
    async handle(call) {
      const held = find(call);
      call.hono.header('etag', `"${held.revision}"`);
      return routeView(call.api, held);
    },
  },
  {
    method: 'put',
    path: '/v1/routes/{name}',
    summary: 'Create or replace a route',
    query: WriteQuery,
    body: { schema: z.looseObject({}), told: RouteDocument.partial({ kind: true, name: true }), example },
    answer: { status: 200, schema: WriteAnswer, about: 'What was changed.' },
    handle: async (call) =>
      answerWrite(call, await call.api.registry.apply([withIdentity(call, 'Route')], writeOptions(call))),
  },
  {
    method: 'patch',
    path: '/v1/routes/{name}',
    summary: 'Change parts of a route (JSON merge patch)',
    query: WriteQuery,
    body: { schema: z.looseObject({}), told: DocumentPatch, example: { spec: { enabled: false } } },
    answer: { status: 200, schema: WriteAnswer, about: 'What was changed.' },
    async handle(call) {
      const { value, revision } = find(call);
      const { kind, name, labels, spec } = value;
      return answerWrite(
        call,
        await call.api.registry.apply([mergePatch({ kind, name, labels, spec }, call.body)], {
          expectRevision: revision,
          ...writeOptions(call),
        }),
      );
    },
  },
  {
    method: 'delete',
    path: '/v1/routes/{name}',
    summary: 'Delete a route; sessions that came by it go on',
    query: WriteQuery,
    answer: { status: 200, schema: WriteAnswer, about: 'What was deleted.' },
    handle: async (call) =>
      answerWrite(call, await call.api.registry.remove('Route', call.param('name'), writeOptions(call))),
  },
];
