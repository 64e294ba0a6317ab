import { z } from 'zod';
import { SwitchboardError } from '../../model/errors.ts';
import { Name } from '../../model/meta.ts';
import { RouteDocument } from '../../model/route.ts';
import { ServiceDocument } from '../../model/service.ts';
import type { WriteOptions } from '../../model/write.ts';
import { answerWrite } from '../acked.ts';
import { WriteAnswer } from '../answers/write.ts';
import { WriteQuery, flag, writeOptions, type Call, type Endpoint } from '../endpoint.ts';

const Query = WriteQuery.extend({
  set: Name.optional().describe('The resources belong to this set from now on.'),
  prune: flag.optional().describe('With set: delete what belongs to it and is not among the documents.'),
  takeOver: flag.optional().describe('With set: also take resources that belong to another set.'),
});

function applyOptions(call: Call): WriteOptions {
  const { set, prune = false, takeOver = false } = call.query as z.infer<typeof Query>;
  if (set !== undefined) return { ...writeOptions(call), set: { name: set, prune, takeOver } };
  if (!prune && !takeOver) return writeOptions(call);
  const path = `query.${prune ? 'prune' : 'takeOver'}`;
  const message = 'needs a set, or it could not be told what was applied from the same source';
  throw new SwitchboardError('invalid', `${path}: ${message}`, { issues: [{ path, message }] });
}

const example = {
  documents: [
    { kind: 'Route', name: 'chat', spec: { match: { path: { prefix: '/chat' } }, target: { service: 'weather' } } },
  ],
};

const Document = z.discriminatedUnion('kind', [ServiceDocument, RouteDocument]);
const Documents = z.union([
  z.strictObject({ documents: z.array(Document).min(1) }),
  z.array(Document).min(1),
  Document,
]);

export const apply: readonly Endpoint[] = [
  {
    method: 'post',
    path: '/v1/apply',
    summary: 'Create or change several resources, all or nothing',
    query: Query,
    body: { schema: z.array(z.unknown()), told: Documents, example, yaml: true },
    answer: {
      status: 200,
      schema: WriteAnswer,
      about: 'What was created, changed or left unchanged, and what it does to open sessions.',
    },
    handle: async (call) =>
      answerWrite(call, await call.api.registry.apply(call.body as unknown[], applyOptions(call))),
  },
];
