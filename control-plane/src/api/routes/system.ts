import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { SystemStatus } from '../../model/system.ts';
import { durationMs } from '../../model/units.ts';
import { itemsOf } from '../answers/list.ts';
import { BEARER } from '../bearer.ts';
import { Done, OwnLog, PluginInfo, Readiness, SignInCode, SignedIn } from '../answers/system.ts';
import { atMost, type Endpoint } from '../endpoint.ts';

const UNSTORED = { 'cache-control': 'no-store' };

export const system: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/livez',
    summary: 'The control plane answers',
    answer: { status: 200, schema: Done, about: 'It lives.', example: { status: 'ok' } },
    open: true,
    handle: async () => ({ status: 'ok' }),
  },
  {
    method: 'get',
    path: '/readyz',
    summary: 'Whether this control plane can do its work, and what keeps it from it',
    answer: {
      status: 200,
      schema: Readiness,
      also: 503,
      about: '503 when a part does not work. What keeps one service from being served is a condition of that service.',
    },
    async handle(call) {
      const checks = await call.api.readiness();
      const ready = checks.every((check) => check.ok);
      return call.hono.json({ ready, checks }, ready ? 200 : 503);
    },
  },
  {
    method: 'get',
    path: '/v1/status',
    summary: 'Addresses and processes of everything',
    answer: { status: 200, schema: SystemStatus, about: 'The status.' },
    handle: async (call) => call.api.system(),
  },
  {
    method: 'post',
    path: '/v1/sign-in/codes',
    summary: 'A code that signs in once, within ten minutes, for a link to the console: /#sign-in=CODE',
    answer: {
      status: 201,
      schema: SignInCode,
      about: 'The code, which stands for the token of this request.',
      example: { code: 'q3Zt0b8kXvVf1yJw5mNs7uRaL2cDhEgP', expiresAt: '2026-11-25T04:10:00.000Z' },
    },
    async handle({ api, hono }) {
      const [, token = ''] = BEARER.exec(hono.req.header('authorization') ?? '') ?? [];
      return hono.json(api.signIns.make(token), 201, UNSTORED);
    },
  },
  {
    method: 'post',
    path: '/v1/sign-in',
    summary: 'The token that a code stands for; the code is used up',
    body: {
      schema: z.strictObject({ code: z.string().min(1).max(200) }),
      example: { code: 'q3Zt0b8kXvVf1yJw5mNs7uRaL2cDhEgP' },
    },
    answer: { status: 200, schema: SignedIn, about: 'The token.', example: { token: 'sb_...' } },
    open: true,
    handle: async ({ api, body, hono }) =>
      hono.json({ token: api.signIns.take((body as { code: string }).code) }, 200, UNSTORED),
  },
  {
    method: 'get',
    path: '/v1/plugins',
    summary: 'What is pluggable and there: probes, policies, runtimes, stores, metrics',
    answer: {
      status: 200,
      schema: itemsOf(PluginInfo),
      about: 'Each with the JSON schema of its options; `from` is the module of the settings that brought it.',
      example: {
        items: [
          { kind: 'probes', name: 'tcp', about: 'connects', from: null, options: { type: 'object', properties: {} } },
        ],
      },
    },
    handle: async (call) => ({ items: call.api.plugins }),
  },
  {
    method: 'get',
    path: '/v1/log',
    summary: 'What the control plane wrote to its log lately',
    query: z.strictObject({
      tail: z.coerce.number().int().min(1).max(10_000).default(200).describe('The last so many lines (200).'),
    }),
    answer: {
      status: 200,
      schema: OwnLog,
      about: 'Lines of JSON, oldest first, since its last start and as many as are kept in memory.',
      example: { lines: ['{"level":"info","time":"2026-11-25T04:00:00.000Z","msg":"the control plane answers"}'] },
    },
    handle: async (call) => ({ lines: call.api.ownLog().slice(-(call.query as { tail: number }).tail) }),
  },
  {
    method: 'post',
    path: '/v1/backup',
    summary: 'A consistent copy of the store',
    answer: { status: 200, type: 'application/octet-stream', about: 'A SQLite file.' },
    async handle(call) {
      const { path, remove } = await call.api.backup();
      const file = createReadStream(path);
      file.once('close', () => void remove());
      return call.hono.body(Readable.toWeb(file) as ReadableStream, 200, {
        'content-type': 'application/octet-stream',
        // So that a client can tell a copy that was cut short.
        'content-length': String(statSync(path).size),
        'content-disposition': 'attachment; filename="switchboard.db"',
      });
    },
  },
  {
    method: 'post',
    path: '/v1/shutdown',
    summary: 'End agents, Envoy and control plane, after open sessions or the time are over',
    body: { schema: z.strictObject({ drain: atMost('7d').optional() }), example: { drain: '30s' } },
    answer: { status: 202, schema: Done, about: 'It has begun.' },
    async handle(call) {
      const { drain } = call.body as { drain?: string };
      await call.api.shutdown({ drainMs: durationMs(drain ?? '30s') });
      return call.hono.json({ status: 'ending' }, 202);
    },
  },
];
