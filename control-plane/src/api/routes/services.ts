import { z } from 'zod';
import { SwitchboardError } from '../../model/errors.ts';
import { missing } from '../../model/missing.ts';
import { ServiceDocument } from '../../model/service.ts';
import { Version } from '../../model/version.ts';
import { answerWrite } from '../acked.ts';
import { ServicePage, ServiceView, Versions } from '../answers/service.ts';
import { WriteAnswer } from '../answers/write.ts';
import type { ApiContext } from '../context.ts';
import { WriteQuery, nowQuery, writeOptions, writeQuery, type Call, type Endpoint } from '../endpoint.ts';
import { withIdentity } from '../identity.ts';
import { answerList, listQuery } from '../lists.ts';
import { DocumentPatch, mergePatch } from '../merge-patch.ts';
import { observedBy } from '../observed.ts';
import { serviceView, serviceViews } from '../views.ts';

const example = {
  spec: {
    launch: { command: ['python', 'server.py', '--host', '{host}', '--port', '{port}'] },
    replicas: 2,
    probe: { type: 'myagent' },
  },
};
const ServicesQuery = listQuery(ServiceView).extend({
  label: z
    .string()
    .regex(/^[^=]+=.*$/, 'must be key=value')
    .optional()
    .describe('Only those with this label: key=value.'),
});
const NowQuery = z.strictObject({ ...writeQuery, ...nowQuery });
const NowBody = z.strictObject({ now: z.boolean().optional() });

function find(api: ApiContext, name: string) {
  const held = api.registry.view().services.get(name);
  if (held === undefined) throw missing('service', name, api.registry.view().services.keys());
  const instances = [...api.registry.view().instances.values()]
    .map((one) => one.value)
    .filter((one) => one.service === name);
  return { held, view: serviceView(api.registry.view(), held, instances, observedBy(api)) };
}

const isNow = (call: Call): boolean => (call.body as { now?: boolean }).now === true;

const verb = (path: string, summary: string, run: (call: Call, now: boolean) => Promise<object>): Endpoint => ({
  method: 'post',
  path: `/v1/services/{name}/${path}`,
  summary,
  query: WriteQuery,
  body: { schema: NowBody, example: { now: false } },
  answer: { status: 200, schema: WriteAnswer, about: 'What was changed, and what it does to open sessions.' },
  handle: async (call) => run(call, isNow(call)),
});

export const services: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/v1/services',
    summary: 'All services, by name',
    query: ServicesQuery,
    answer: { status: 200, schema: ServicePage, stream: true, about: 'A page of services with their status.' },
    async handle(call) {
      const { label } = call.query as { label?: string };
      const [key = '', value = ''] =
        label === undefined ? [] : [label.slice(0, label.indexOf('=')), label.slice(label.indexOf('=') + 1)];
      return answerList(call, {
        items: () =>
          serviceViews(call.api.registry.view(), observedBy(call.api)).filter(
            (service) => label === undefined || service.labels[key] === value,
          ),
        keyOf: (service) => service.name,
        labelsOf: (service) => service.labels,
        about: () => ({ revision: call.api.registry.view().revision }),
      });
    },
  },
  {
    method: 'get',
    path: '/v1/services/{name}',
    summary: 'One service',
    answer: { status: 200, schema: ServiceView, about: 'The service; its ETag is its revision.' },
    async handle(call) {
      const { held, view } = find(call.api, call.param('name'));
      call.hono.header('etag', `"${held.revision}"`);
      return view;
    },
  },
  {
    method: 'put',
    path: '/v1/services/{name}',
    summary: 'Create or replace a service',
    query: WriteQuery,
    body: { schema: z.looseObject({}), told: ServiceDocument.partial({ kind: true, name: true }), example },
    answer: { status: 200, schema: WriteAnswer, about: 'What was changed, and what it does to open sessions.' },
    handle: async (call) =>
      answerWrite(call, await call.api.registry.apply([withIdentity(call, 'Service')], writeOptions(call))),
  },
  {
    method: 'patch',
    path: '/v1/services/{name}',
    summary: 'Change parts of a service (JSON merge patch)',
    query: WriteQuery,
    body: { schema: z.looseObject({}), told: DocumentPatch, example: { spec: { replicas: 3 } } },
    answer: { status: 200, schema: WriteAnswer, about: 'What was changed, and what it does to open sessions.' },
    async handle(call) {
      const { held } = find(call.api, call.param('name'));
      const { kind, name, labels, spec } = held.value;
      const document = mergePatch({ kind, name, labels, spec }, call.body);
      // Without If-Match the patch is still made of what was read here: it must not undo another's write.
      return answerWrite(
        call,
        await call.api.registry.apply([document], { expectRevision: held.revision, ...writeOptions(call) }),
      );
    },
  },
  {
    method: 'delete',
    path: '/v1/services/{name}',
    summary: 'Delete a service; its instances are drained first',
    query: NowQuery,
    answer: { status: 200, schema: WriteAnswer, about: 'What was deleted, and what it does to open sessions.' },
    handle: async (call) =>
      answerWrite(
        call,
        await call.api.registry.remove('Service', call.param('name'), {
          ...writeOptions(call),
          now: call.query['now'] === true,
        }),
      ),
  },
  verb('start', 'Start a service', async (call) =>
    answerWrite(call, await call.api.registry.setEnabled(call.param('name'), true, writeOptions(call))),
  ),
  verb('stop', 'Stop a service; its instances are drained first', async (call, now) =>
    answerWrite(call, await call.api.registry.setEnabled(call.param('name'), false, { ...writeOptions(call), now })),
  ),
  verb('restart', 'Replace every instance, new ones first', async (call, now) =>
    answerWrite(call, await call.api.registry.restart(call.param('name'), { ...writeOptions(call), now })),
  ),
  {
    method: 'post',
    path: '/v1/services/{name}/scale',
    summary: 'Set how many instances are wanted',
    query: WriteQuery,
    body: { schema: z.strictObject({ replicas: z.int().min(0).max(1000) }), example: { replicas: 3 } },
    answer: { status: 200, schema: WriteAnswer, about: 'What was changed, and what it does to open sessions.' },
    handle: async (call) =>
      answerWrite(
        call,
        await call.api.registry.scale(
          call.param('name'),
          (call.body as { replicas: number }).replicas,
          writeOptions(call),
        ),
      ),
  },
  {
    method: 'get',
    path: '/v1/services/{name}/versions',
    summary: 'The versions of a service, oldest first',
    answer: { status: 200, schema: Versions, about: 'What instances have run or run.' },
    async handle(call) {
      find(call.api, call.param('name'));
      return { items: call.api.registry.view().versions.get(call.param('name')) ?? [] };
    },
  },
  {
    method: 'get',
    path: '/v1/services/{name}/versions/{number}',
    summary: 'One version',
    answer: { status: 200, schema: Version, about: 'The version.' },
    async handle(call) {
      find(call.api, call.param('name'));
      const version = call.api.registry
        .view()
        .versions.get(call.param('name'))
        ?.find((one) => one.number === Number(call.param('number')));
      if (version === undefined)
        throw new SwitchboardError('not_found', `service ${call.param('name')} has no version ${call.param('number')}`);
      return version;
    },
  },
];
