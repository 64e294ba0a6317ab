/** The API as a stranger meets it: tokens, bad input, conditional writes, documents. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENDPOINTS } from '../../control-plane/src/api/app.ts';
import type { Problem } from '../../control-plane/src/api/types.ts';
import { echoService, startWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ name: 'api', seed: [echoService('weather')] });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

async function call(
  method: string,
  path: string,
  options: { body?: string | Buffer; headers?: Record<string, string>; token?: string | null } = {},
): Promise<{ status: number; headers: Headers; text: string; problem: Problem }> {
  const token = options.token === undefined ? world.token : options.token;
  const response = await fetch(world.client.url + path, {
    method,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...options.headers },
    ...(options.body === undefined ? {} : { body: options.body as string }),
  });
  const text = await response.text();
  const problem = (response.headers.get('content-type') ?? '').includes('problem')
    ? (JSON.parse(text) as Problem)
    : ({} as Problem);
  return { status: response.status, headers: response.headers, text, problem };
}

describe('tokens', () => {
  it('are needed for everything but liveness and pages without data', async () => {
    for (const endpoint of ENDPOINTS) {
      const path = endpoint.path.replaceAll(/\{\w+\}/g, 'x');
      for (const token of [null, 'wrong']) {
        const { status } = await call(endpoint.method.toUpperCase(), path, { token });
        expect([endpoint.method, path, status]).toEqual([endpoint.method, path, path === '/livez' ? 200 : 401]);
      }
    }
    expect((await call('GET', '/docs', { token: null })).status).toBe(200);
    expect((await call('GET', '/', { token: null })).status).toBe(200);
  });

  it('do not help a web page that reaches the address by a name of its own', async () => {
    const url = new URL(world.client.url);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(
        {
          host: url.hostname,
          port: url.port,
          path: '/v1/status',
          headers: { host: 'evil.example', authorization: `Bearer ${world.token}` },
        },
        (response) => {
          resolve(response.statusCode);
          response.resume();
        },
      )
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });
});

describe('documents', () => {
  it('tell every endpoint that there is', async () => {
    const { paths } = JSON.parse((await call('GET', '/openapi.json', { token: null })).text) as {
      paths: Record<string, Record<string, { summary: string }>>;
    };
    for (const { path, method } of ENDPOINTS) expect(paths[path]?.[method]?.summary, `${method} ${path}`).toBeTruthy();
  });
});

describe('bad input', () => {
  const json = { 'content-type': 'application/json' };
  it.each([
    [
      'an unknown field',
      'PUT',
      '/v1/services/x',
      '{"spec":{"launch":{"command":["a"]},"replica":2}}',
      400,
      'spec.replica: unknown field',
    ],
    [
      'a wrong type',
      'PUT',
      '/v1/services/x',
      '{"spec":{"launch":{"command":["a"]},"replicas":"two"}}',
      400,
      'spec.replicas',
    ],
    [
      'a bad duration',
      'PUT',
      '/v1/services/x',
      '{"spec":{"launch":{"command":["a"]},"drain":{"deadline":"soon"}}}',
      400,
      'spec.drain.deadline: must be a duration',
    ],
    [
      'a bad name',
      'PUT',
      '/v1/services/No_Good',
      '{"spec":{"launch":{"command":["a"]}}}',
      400,
      'name: must be lower-case',
    ],
    ['no launch', 'PUT', '/v1/services/x', '{"spec":{}}', 400, 'spec.launch: is required'],
    [
      'a bad port',
      'PUT',
      '/v1/services/x',
      '{"spec":{"runtime":"external","addresses":[{"host":"127.0.0.1","port":70000}]}}',
      400,
      'spec.addresses.0.port',
    ],
    [
      'an unknown probe',
      'PUT',
      '/v1/services/x',
      '{"spec":{"launch":{"command":["a"]},"probe":{"type":"nope"}}}',
      400,
      'spec.probe.type: there is no probe nope',
    ],
    [
      'a probe option',
      'PUT',
      '/v1/services/x',
      '{"spec":{"launch":{"command":["a"]},"probe":{"type":"http","options":{"pth":"/"}}}}',
      400,
      'spec.probe.options.pth: unknown field',
    ],
    [
      'an unknown policy',
      'PUT',
      '/v1/services/x',
      '{"spec":{"launch":{"command":["a"]},"gateway":{"policy":{"type":"nope"}}}}',
      400,
      'spec.gateway.policy.type',
    ],
    [
      'a dangling route',
      'PUT',
      '/v1/routes/x',
      '{"spec":{"target":{"service":"nobody"}}}',
      400,
      'there is no service nobody',
    ],
    [
      'a path without slash',
      'PUT',
      '/v1/routes/x',
      '{"spec":{"match":{"path":{"prefix":"chat"}},"target":{"service":"weather"}}}',
      400,
      'must start with /',
    ],
    [
      'another name in the body',
      'PUT',
      '/v1/services/x',
      '{"name":"y","spec":{"launch":{"command":["a"]}}}',
      400,
      'name: must be x',
    ],
    ['broken JSON', 'PUT', '/v1/services/x', '{"spec":', 400, 'not valid JSON'],
    [
      'a name twice',
      'POST',
      '/v1/apply',
      JSON.stringify([1, 2].map(() => echoService('twice'))),
      400,
      'documents.1.name: Service twice stands in document 0 already',
    ],
    [
      'an unknown kind',
      'POST',
      '/v1/apply',
      '{"kind":"Pod","name":"x"}',
      400,
      'kind: must be Service or Route, not "Pod"',
    ],
    ['broken YAML', 'POST', '/v1/apply', 'kind: Service\n  name: x', 400, 'line 1, column 7'],
    ['nothing to apply', 'POST', '/v1/apply', '', 400, 'no document'],
    ['an unknown query parameter', 'GET', '/v1/services?lable=x', undefined, 400, 'query.lable: unknown'],
    ['a scale below zero', 'POST', '/v1/services/weather/scale', '{"replicas":-1}', 400, 'replicas'],
    ['a service that is not there', 'POST', '/v1/services/nobody/stop', '{}', 404, 'there is no service nobody'],
    ['a path that is not there', 'GET', '/v2/services', undefined, 404, 'there is nothing at GET /v2/services'],
  ])('%s gets a clear error', async (_, method, path, body, status, text) => {
    const before = (await world.client.status()).revision;
    const answer = await call(method, path, { headers: json, ...(body === undefined ? {} : { body }) });
    expect(answer.status).toBe(status);
    expect(answer.problem).toMatchObject({ status, requestId: answer.headers.get('x-request-id') });
    expect(
      `${answer.problem.detail} ${(answer.problem.issues ?? []).map((issue) => `${issue.path}: ${issue.message}`).join(' ')}`,
    ).toContain(text);
    expect((await world.client.status()).revision).toBe(before);
  });

  it('that is too large or no text is refused', async () => {
    const large = await call('POST', '/v1/apply', { body: 'x'.repeat(10 * 1024 * 1024) }).catch(
      (error: unknown) => error,
    );
    // The server may close the connection before all was sent.
    expect(large instanceof Error || (large as { status: number }).status === 413).toBe(true);
    expect(
      (await call('PUT', '/v1/services/x', { body: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) })).problem.detail,
    ).toContain('UTF-8');
  });
});

describe('conditional writes', () => {
  it('hold to the ETag that was read', async () => {
    const etag = (await call('GET', '/v1/services/weather')).headers.get('etag') ?? '';
    const patch = (headers: Record<string, string>, label: string) =>
      call('PATCH', '/v1/services/weather', { headers, body: JSON.stringify({ labels: { label } }) });
    expect((await patch({ 'if-match': etag }, 'one')).status).toBe(200);
    expect((await patch({ 'if-match': etag }, 'two')).problem.code).toBe('precondition_failed');
    const body = JSON.stringify({ spec: { runtime: 'external' } });
    expect((await call('PUT', '/v1/services/weather', { headers: { 'if-none-match': '*' }, body })).status).toBe(412);
    expect((await call('PUT', '/v1/services/fresh', { headers: { 'if-none-match': '*' }, body })).status).toBe(200);
  });

  it('say unchanged when nothing changes, and change nothing on a dry run', async () => {
    const document = echoService('again');
    expect((await world.client.apply([document])).changes).toMatchObject([{ action: 'created' }]);
    const same = await world.client.apply([document]);
    expect(same.changes).toMatchObject([{ action: 'unchanged', diff: [] }]);
    const dry = await world.client.apply([echoService('dry')], { dryRun: true });
    expect(dry).toMatchObject({ dryRun: true, changes: [{ action: 'created' }] });
    expect((await call('GET', '/v1/services/dry')).status).toBe(404);
  });
});
