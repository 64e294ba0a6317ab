import { z } from 'zod';
import { answerWrite } from '../acked.ts';
import { WriteQuery, writeOptions, type Endpoint } from '../endpoint.ts';

const example = {
  documents: [
    { kind: 'Route', name: 'chat', spec: { match: { path: { prefix: '/chat' } }, target: { service: 'weather' } } },
  ],
};

export const apply: readonly Endpoint[] = [
  {
    method: 'post',
    path: '/v1/apply',
    summary: 'Create or change several resources, all or nothing',
    query: WriteQuery,
    body: { schema: z.array(z.unknown()), example, yaml: true },
    answer: { status: 200, about: 'What was created, changed or left unchanged, and what it does to open sessions.' },
    handle: async (call) =>
      answerWrite(call, await call.api.registry.apply(call.body as unknown[], writeOptions(call))),
  },
];
