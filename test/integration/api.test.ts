/** The API as a stranger meets it: tokens, bad input, conditional writes, documents. */
import { request } from 'node:http';
import { connect } from 'node:net';
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

/** The answer to a body that is sent whole whatever comes back; with or without its length said beforehand. */
async function sendLarge(size: number, announced: boolean): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sending = request(`${world.client.url}/v1/apply`, {
      method: 'POST',
      agent: false,
      headers: { authorization: `Bearer ${world.token}`, ...(announced ? { 'content-length': size } : {}) },
    });
    sending.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
        sending.destroy();
      });
    });
    sending.on('error', reject);
    sending.end(Buffer.alloc(size, 'x'));
  });
}

/** What is answered to these bytes, which are sent whole. */
async function sendRaw(bytes: string): Promise<string> {
  const url = new URL(world.client.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname, () => socket.write(bytes));
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.on('error', reject);
    socket.on('end', () => {
      socket.destroy();
      resolve(text);
    });
  });
}

describe('what is no request', () => {
  it('is answered as all errors are, and not reset', async () => {
    const giant = await sendRaw(`GET /v1/services?q=${'x'.repeat(4_000_000)} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
    expect(giant).toMatch(/^HTTP\/1\.1 431 /);
    expect(JSON.parse(giant.slice(giant.indexOf('\r\n\r\n')))).toMatchObject({
      status: 431,
      code: 'too_large',
      remedy: 'Put what is long into the body, or ask for less at a time.',
    });
    const broken = await sendRaw('GET / HTTP/9.9\r\nnonsense\r\n\r\n');
    expect(broken).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(broken.slice(broken.indexOf('\r\n\r\n')))).toMatchObject({ status: 400, code: 'invalid' });
  });
});

describe('tokens', () => {
  it('are needed for everything but liveness and pages without data', async () => {
    for (const endpoint of ENDPOINTS) {
      const path = endpoint.path.replaceAll(/\{\w+\}/g, 'x');
      for (const token of [null, 'wrong']) {
        const { status } = await call(endpoint.method.toUpperCase(), path, { token });
        // A code stands in the body, which is missing.
        const expected = { '/livez': 200, '/v1/sign-in': 400 }[path] ?? 401;
        expect([endpoint.method, path, status]).toEqual([endpoint.method, path, expected]);
      }
    }
    expect((await call('GET', '/docs', { token: null })).status).toBe(200);
    expect((await call('GET', '/', { token: null })).status).toBe(200);
  });

  it('are given once for a code that was asked for with one', async () => {
    expect((await call('POST', '/v1/sign-in/codes', { token: null })).status).toBe(401);
    const { code } = await world.client.signInCode();
    const twice = await Promise.allSettled([world.client.signIn(code), world.client.signIn(code)]);
    expect(twice.filter(({ status }) => status === 'fulfilled')).toEqual([
      { status: 'fulfilled', value: { token: world.token } },
    ]);
    await expect(world.client.signIn(code)).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(world.log()).not.toContain(code);
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

describe('methods', () => {
  it('that a path lacks are told apart from paths that are not there', async () => {
    for (const { path } of ENDPOINTS) {
      const here = path.replaceAll(/\{\w+\}/g, 'x');
      // /v1/sessions/end is a session's path too.
      const known = ENDPOINTS.filter((one) =>
        new RegExp(`^${one.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(here),
      ).map(({ method }) => method.toUpperCase());
      const other = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE'].find((one) => !known.includes(one)) ?? '';
      const { status, headers, problem } = await call(other, here);
      expect([status, problem.code], `${other} ${here}`).toEqual([405, 'method_not_allowed']);
      const allowed = (headers.get('allow') ?? '').split(', ');
      expect(allowed, here).toEqual(expect.arrayContaining(known));
      expect(allowed, here).not.toContain(other);
    }
    const options = await call('OPTIONS', '/v1/services', { headers: { origin: 'http://elsewhere.example' } });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
    expect(options.headers.get('access-control-allow-origin')).toBeNull();
    for (const page of ['/openapi.json', '/docs', '/']) {
      expect((await call('OPTIONS', page)).headers.get('allow'), page).toBe('GET, HEAD, OPTIONS');
      expect((await call('POST', page)).status, page).toBe(405);
    }
    expect((await call('GET', '/v1/nothing')).status).toBe(404);
    expect((await call('OPTIONS', '/v1/nothing')).status).toBe(404);
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
    [
      'a template that is not known',
      'PUT',
      '/v1/services/x',
      '{"spec":{"launch":{"command":["a","--port={prot}"]}}}',
      400,
      'spec.launch.command.1: {prot} is not known: use {port}',
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
    ['broken JSON', 'PUT', '/v1/services/x', '{"spec":', 400, 'line 1, column 9: is not valid JSON'],
    ['broken JSON in apply', 'POST', '/v1/apply', '[{"kind":"Service",\n"name" "x"}]', 400, 'line 2, column 8'],
    [
      'a query parameter twice',
      'GET',
      '/v1/services?limit=1&limit=2',
      undefined,
      400,
      'query.limit: is given more than',
    ],
    [
      'a lease token that is none',
      'DELETE',
      '/v1/instances/weather-x',
      undefined,
      404,
      'there is no instance weather-x',
    ],
    [
      'a name twice',
      'POST',
      '/v1/apply',
      JSON.stringify([1, 2].map(() => echoService('twice'))),
      400,
      'documents.1.name: Service twice stands in document 1 already',
    ],
    [
      'an unknown kind',
      'POST',
      '/v1/apply',
      '{"kind":"Pod","name":"x"}',
      400,
      'kind: must be Service or Route, not "Pod"',
    ],
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

  it('in YAML is told with its place', async () => {
    const { status, problem } = await call('POST', '/v1/apply', { body: 'kind: Service\n  name: x' });
    expect([status, problem.issues?.[0]?.path]).toEqual([400, 'line 1, column 7']);
  });

  it('that is too large or no text is refused', async () => {
    for (const announced of [true, false]) {
      const { status, text } = await sendLarge(10 * 1024 * 1024, announced);
      expect(status).toBe(413);
      expect(JSON.parse(text)).toMatchObject({ code: 'too_large', remedy: 'Send fewer documents at a time.' });
    }
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
    // Whatever its revision, as long as it is there.
    expect((await patch({ 'if-match': '*' }, 'three')).status).toBe(200);
    const absent = await call('PUT', '/v1/services/absent', { headers: { 'if-match': '*' }, body });
    expect([absent.status, absent.problem.detail]).toEqual([412, 'service absent does not exist']);
  });

  it.each([
    ['if-match', 'W/"abc"'],
    ['if-match', '"1", "2"'],
    ['if-none-match', '"1"'],
  ])('%s %s is refused, not passed over', async (header, value) => {
    const before = (await world.client.status()).revision;
    const body = JSON.stringify({ labels: { passed: 'over' } });
    const { status, problem } = await call('PATCH', '/v1/services/weather', { headers: { [header]: value }, body });
    expect([status, problem.issues?.[0]?.path]).toEqual([400, header]);
    const both = { 'if-match': '"1"', 'if-none-match': '*' };
    expect((await call('PATCH', '/v1/services/weather', { headers: both, body })).status).toBe(400);
    expect((await world.client.status()).revision).toBe(before);
  });

  it('answer with the ETag of the resource itself', async () => {
    const put = (name: string, replicas: number) =>
      call('PUT', `/v1/services/${name}`, { body: JSON.stringify({ ...echoService(name), ...spec(replicas) }) });
    const spec = (replicas: number) => ({ spec: { ...(echoService('tagged')['spec'] as object), replicas } });
    const read = async (): Promise<string | null> => (await call('GET', '/v1/services/tagged')).headers.get('etag');
    const created = await put('tagged', 0);
    expect(created.headers.get('etag')).toBe(await read());
    // Another resource moves the registry on; an unchanged write and a dry run still tell this one's own.
    await put('another', 0);
    expect((await put('tagged', 0)).headers.get('etag')).toBe(await read());
    const dry = await call('PUT', '/v1/services/tagged?dryRun=true', { body: JSON.stringify(spec(1)) });
    expect([dry.status, dry.headers.get('etag')]).toEqual([200, await read()]);
    expect((await call('POST', '/v1/services/tagged/scale', { body: '{"replicas":0}' })).headers.get('etag')).toBe(
      await read(),
    );
    const several = await call('POST', '/v1/apply', {
      body: JSON.stringify([echoService('one'), echoService('two')]),
    });
    expect([several.status, several.headers.get('etag')]).toEqual([200, null]);
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
